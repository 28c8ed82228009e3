import Foundation
import HTTPSurface
import Jobs
import Kernel
import Outbound
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite(.timeLimit(.minutes(4))) struct WaitingTests {
    /// A webhook that hands on the addresses of its run, then waits.
    func start(_ rig: FormRig, _ wait: JSONObject, responding: JSONObject = [:]) async throws -> (page: String, call: String) {
        let trigger = WorkflowNode(id: "in", category: .trigger, kind: "manual", name: "In")
        let keep: JSONObject = [
            "assignments": [
                "assignments": [
                    ["id": "a", "name": "page", "type": "string", "value": "={{ $execution.resumeFormUrl }}"],
                    ["id": "b", "name": "call", "type": "string", "value": "={{ $execution.resumeUrl }}"]
                ]
            ]
        ]
        let id = try await rig.publish([trigger, .step("Keep", "set", 3.4, keep), .step("Wait", "wait", 1.1, wait), .step("End", "no_op", 1, [:])])
        let lease = rig.harness.lease
        let document = try await rig.harness.workflows.document(of: id, version: 1, by: rig.harness.principal())
        _ = try await rig.engine.start(
            RunStart(tenant: lease.tenant, workflow: id, version: 1, document: document, trigger: "In", items: .single, mode: "webhook"))
        while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
        let run = try await lease.database.read(in: lease.tenant) { tx in try RunStore(tx: tx).list(status: nil, before: nil, limit: 1)[0] }
        #expect(run.status == .waiting)
        let known = try await WaitingRun.load(run.id, tenant: lease.tenant, database: lease.database, blobs: lease.blobs, kinds: .builtIn)
        let given = try known?.machine.ended[1].first??.outputs.first??.items.items().first?.json ?? [:]
        func path(_ name: String) -> String {
            "/" + (given[name]?.text ?? "").split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).dropFirst(3).joined()
        }
        return (path("page"), path("call"))
    }

    @Test func `a run waits until its address is called`() async throws {
        try await FormRig.run { rig in
            let (_, call) = try await start(rig, ["resume": "webhook", "httpMethod": "POST", "options": ["webhookSuffix": "/yes"]])
            #expect(call.hasPrefix("/waiting/t/"))
            let (elsewhere, _) = try await rig.post(call, "{}", type: "application/json")
            #expect(elsewhere.status == 404)
            let (wrong, _) = try await rig.get(call + "/yes")
            #expect(wrong.status == 405)
            var forged = call
            forged.removeLast()
            forged.append(call.hasSuffix("0") ? "1" : "0")
            let (closed, _) = try await rig.post(forged + "/yes", "{}", type: "application/json")
            #expect(closed.status == 404)
            let (foreign, _) = try await rig.post(call.replacing("/waiting/t/", with: "/waiting/o/") + "/yes", "{}", type: "application/json")
            #expect(foreign.status == 404)
            let (answer, _) = try await rig.post(call + "/yes?q=1", "{\"a\":1}", type: "application/json")
            #expect(answer.status == 200)
            let item = try await rig.result()[0].json
            #expect(item["body"] == ["a": 1] && item["query"] == ["q": "1"])
            let (late, _) = try await rig.post(call + "/yes", "{}", type: "application/json")
            #expect(late.status == 404)
        }
    }

    @Test func `the link of a page opens no call, and that of a call sent before still opens its page`() async throws {
        try await FormRig.run { rig in
            let (page, call) = try await start(rig, ["resume": "webhook", "httpMethod": "POST", "options": [:]])
            let asCall = page.replacing("/answers/", with: "/waiting/")
            #expect(page.hasPrefix("/answers/t/") && asCall != call)
            let (closed, _) = try await rig.post(asCall, "{}", type: "application/json")
            #expect(closed.status == 404)
            let (old, _) = try await rig.get(call.replacing("/waiting/", with: "/answers/"))
            #expect(old.status == 200)
            let (answer, _) = try await rig.post(call, "{}", type: "application/json")
            #expect(answer.status == 200)
        }
    }

    @Test func `the caller may wait for the last node`() async throws {
        try await FormRig.run { rig in
            let (_, call) = try await start(rig, ["resume": "webhook", "responseMode": "lastNode", "options": ["responsePropertyName": "query"]])
            let (answer, body) = try await rig.get(call + "?n=5")
            #expect(answer.status == 200)
            #expect(body == "{\"n\":\"5\"}")
        }
    }

    @Test func `a run waits for a form, or until the time is over`() async throws {
        try await FormRig.run { rig in
            let form: JSONObject = ["resume": "form", "formTitle": "=For {{ 1 + 1 }}", "formFields": ["values": [["fieldLabel": "Code"]]]]
            let (page, _) = try await start(rig, form)
            let (shown, html) = try await rig.get(page)
            #expect(shown.status == 200 && html.contains("<h1>For 2</h1>"))
            let (sent, _) = try await rig.post(page, "field-0=77")
            #expect(sent.status == 303)
            #expect(try await rig.result()[0].json["Code"] == "77")
        }
        try await FormRig.run { rig in
            let limited: JSONObject = ["resume": "webhook", "limitWaitTime": true, "resumeAmount": 10, "resumeUnit": "minutes"]
            _ = try await start(rig, limited)
            rig.harness.lease.clock.advance(by: .seconds(601))
            let timers = TimerService(
                database: rig.harness.lease.database, clock: rig.harness.lease.clock.clock, logger: rig.engine.logger,
                handlers: [Engine.timerKind: { try await rig.engine.resume($0) }])
            try await timers.fireDue()
            #expect(try await rig.result()[0].json["call"] != nil)
        }
    }

    @Test func `somebody approves by the link of an e-mail, once`() async throws {
        let server = try await ServiceProcess { port, folder in
            [ServiceProcess.python, "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:\(port)", "-c", "aiosmtpd.handlers.Mailbox", folder + "/box"]
        }
        defer { server.stop() }
        let outbound = try Outbound(policy: AddressPolicy(allowing: ["127.0.0.1:\(server.port)"]))
        try await FormRig.run(network: ServiceNetwork(outbound: outbound)) { rig in
            let me = rig.harness.principal()
            let fields: JSONObject = ["host": "127.0.0.1", "port": .number(Double(server.port)), "secure": false]
            let mail = try await rig.harness.credentials.create(type: "smtp", name: "Mail", fields: fields, by: me)
            let trigger = WorkflowNode(id: "in", category: .trigger, kind: "manual", name: "In")
            var ask = WorkflowNode.step(
                "Ask", "email_send", 2.1,
                [
                    "operation": "sendAndWait", "fromEmail": "a@a.test", "toEmail": "boss@b.test", "subject": "Pay <it>?",
                    "message": "=Invoice {{ 1 + 1 }}",
                    "approvalOptions": ["values": ["approvalType": "double", "approveLabel": "Yes", "disapproveLabel": "No"]]
                ])
            ask.credentials["smtp"] = CredentialReference(id: mail.id.description, name: "Mail")
            let id = try await rig.publish([trigger, ask, .step("End", "no_op", 1, [:])])
            let lease = rig.harness.lease
            let document = try await rig.harness.workflows.document(of: id, version: 1, by: me)
            let handle = try await rig.engine.start(
                RunStart(tenant: lease.tenant, workflow: id, version: 1, document: document, trigger: "In", items: .single, mode: "webhook"))
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            let address = try link(in: server.folder + "/box/new")
            let (shown, page) = try await rig.get(address)
            #expect(shown.status == 200 && page.contains("<h1>Pay &lt;it&gt;?</h1>") && page.contains("Invoice 2"))
            #expect(page.contains("value=\"true\">Yes</button>") && page.contains("value=\"false\">No</button>"))
            let moved = address.replacing("/Ask.0/", with: "/Ask.1/")
            let (forged, _) = try await rig.post(moved, "approved=true")
            #expect(forged.status == 404)
            let (asked, _) = try await rig.post(address, "approved=maybe")
            #expect(asked.status == 200)
            let (given, thanks) = try await rig.post(address, "approved=false")
            #expect(given.status == 200 && thanks.contains("Your response has been recorded"))
            #expect(try await rig.result()[0].json == ["data": ["approved": false]])
            let (_, late) = try await rig.get(address)
            #expect(late.contains("Nothing to answer here"))
            let (again, _) = try await rig.post(address, "approved=true")
            #expect(again.status == 303)
            _ = handle
        }
        await outbound.shutdown()
    }

    /// The path of the link in the only mail of a box.
    private func link(in box: String) throws -> String {
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: box).first)
        let mail = try String(contentsOfFile: "\(box)/\(name)", encoding: .utf8).replacing("\r\n", with: "\n")
        let plain = try #require(mail.firstMatch(of: #/text\/plain[^\n]*\n[^\n]+\n\n([A-Za-z0-9+\/=\n]+)/#))
        let data = try #require(Data(base64Encoded: String(plain.output.1).replacing("\n", with: "")))
        if let match = String(decoding: data, as: UTF8.self).firstMatch(of: #/http:\/\/platform\.test(\/answers\/\S+)/#) {
            return String(match.output.1)
        }
        throw StepFailure("no_link", "the mail has no link")
    }

    @Test func `an answer is in the journal`() async throws {
        let items = ItemList([Item(json: ["a": 1])])
        let event = RunEvent.stepAnswered(StepKey(node: 1, runIndex: 2), items)
        let writer = PayloadNames.Writer(run: RunID(high: 0, low: 1), seq: 4)
        let read = try RunEvent(
            kind: event.kind, step: event.step, attempt: 1, data: JSON(parsing: event.text(writer.coding)),
            payloads: PayloadCoding(write: writer.name) { name, count in
                #expect(name == "=1")
                return ItemList(bytes: writer.lists[0], count: count)
            })
        guard case .stepAnswered(let step, let list) = read else {
            Issue.record("another event")
            return
        }
        #expect(step == StepKey(node: 1, runIndex: 2) && list == items && event.lists == [items])
    }
}
