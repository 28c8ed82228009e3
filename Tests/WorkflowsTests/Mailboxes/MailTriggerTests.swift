import Jobs
import Kernel
import Outbound
import Persistence
import Scripting
import Synchronization
import TestKit
import Testing

@testable import Workflows

@Suite(.timeLimit(.minutes(3)), .serialized) struct MailTriggerTests {
    static let mail = """
        From: =?utf-8?q?J=C3=BCrgen?= <j@a.test>\r
        To: Ada <ada@b.test>\r
        Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r
        Date: Tue, 10 Mar 2026 12:00:00 +0100\r
        Message-ID: <1@a.test>\r
        MIME-Version: 1.0\r
        Content-Type: multipart/mixed; boundary=x\r
        \r
        --x\r
        Content-Type: text/plain; charset=iso-8859-1\r
        Content-Transfer-Encoding: quoted-printable\r
        \r
        Gr=FC=DFe an <alle>\r
        --x\r
        Content-Type: text/html; charset=windows-1252\r
        \r
        <b>hi</b>\r
        --x\r
        Content-Type: application/pdf\r
        Content-Disposition: attachment; filename="a b.pdf"\r
        Content-Transfer-Encoding: base64\r
        \r
        aGVsbG8=\r
        --x--\r

        """

    private func plain(_ subject: String) -> String { "From: a@b.test\r\nSubject: \(subject)\r\n\r\nBody of \(subject)\r\n" }

    private func with(_ body: (DovecotServer, Outbound, JSONObject) async throws -> Void) async throws {
        let server = try await DovecotServer.start()
        let outbound = try Outbound(policy: AddressPolicy(allowing: ["127.0.0.1:\(server.port)"]))
        let credential: JSONObject = [
            "host": "127.0.0.1", "port": .number(Double(server.port)), "user": .string(DovecotServer.user),
            "password": .string(DovecotServer.password), "secure": false
        ]
        do {
            try await body(server, outbound, credential)
            await outbound.shutdown()
            server.stop()
        } catch {
            await outbound.shutdown()
            server.stop()
            throw error
        }
    }

    @Test func `rules are written as IMAP's search has them, and nothing else gets through`() throws {
        let words = try MailSearch.words(
            #"["UNSEEN", ["!FROM", "a\"b"], ["SINCE", "March 1, 2026"], ["OR", ["ON", "2026-03-02"], "FLAGGED"], ["UID", "1:*"]]"#)
        #expect(
            words == [
                .plain("UNSEEN"), .plain("NOT"), .plain("FROM"), .text("a\"b"), .plain("SINCE"), .plain("1-Mar-2026"), .plain("OR"), .plain("ON"),
                .plain("2-Mar-2026"), .plain("FLAGGED"), .plain("UID"), .plain("1:*")
            ])
        for text in [
            "", "{}", "[]", #"["LOGOUT"]"#, #"[["UID","1\r\nA9 DELETE x"]]"#, #"[["SINCE","soon"]]"#, #"[["KEYWORD","a b"]]"#, #"[["FROM"]]"#,
            #"[["SINCE",8639999999999999]]"#, #"[["SINCE",-8639999999999999]]"#
        ] {
            #expect(throws: StepFailure.self, "\(text)") { _ = try MailSearch.words(text) }
        }
        #expect(ModifiedUTF7.encoded("Entwürfe & mehr") == "Entw&APw-rfe &- mehr")
    }

    private func node(_ config: JSONObject) -> WorkflowNode {
        var node = WorkflowNode.make("email_trigger", 2, config)
        node.credentials = ["imap": .init(id: "c", name: "Mail")]
        return node
    }

    @Test func `each format of a mail by hand, with attachments`() async throws {
        try await with { server, outbound, credential in
            try server.deliver(plain("old"))
            try await Task.sleep(for: .milliseconds(20))
            try server.deliver(Self.mail)
            var harness = KindsHarness()
            harness.credentials = ["imap": credential]
            harness.facilities.network = ServiceNetwork(outbound: outbound)
            func mail(_ config: JSONObject) async throws -> Item {
                try #require(try await harness.items(node(config), inputs: [items([:])])[0].first)
            }
            let simple = try await mail(["downloadAttachments": true])
            #expect(
                simple.json["textPlain"]?.text?.hasPrefix("Grüße an <alle>") == true && simple.json["textHtml"]?.text?.hasPrefix("<b>hi</b>") == true)
            #expect(simple.json["subject"] == "Grüße" && simple.json["from"] == "Jürgen <j@a.test>")
            #expect(simple.json["metadata"]?["message-id"] == "<1@a.test>")
            let file = try #require(simple.binary["attachment_0"])
            #expect(file.fileName == "a b.pdf" && file.mimeType == "application/pdf" && harness.files.read(file.id) == Array("hello".utf8))
            let resolved = try await mail(["format": "resolved", "dataPropertyAttachmentsPrefixName": "f"])
            #expect(resolved.json["from"]?["value"] == [["address": "j@a.test", "name": "Jürgen"]])
            #expect(resolved.json["date"] == "2026-03-10T11:00:00.000Z" && resolved.json["textAsHtml"]?.text?.contains("&lt;alle&gt;") == true)
            #expect(resolved.binary["f0"] != nil)
            #expect(try await mail(["format": "raw"]).json["raw"]?.text?.hasPrefix("--x\r\n") == true)
            #expect(try server.readCount() == 0)
            let rules: JSONObject = ["options": ["customEmailConfig": #"[["SUBJECT","old"]]"#]]
            #expect(try await mail(rules).json["subject"] == "old")
            harness.credentials["imap"]?["password"] = "wrong"
            let wrong = harness
            await #expect(throws: StepFailure.self) { _ = try await wrong.items(node([:]), inputs: [items([:])]) }
        }
    }

    @Test func `a mail that cannot be taken apart comes as it is`() async throws {
        var wish = node([:])
        wish.config["downloadAttachments"] = true
        let items = MailItems(
            wish: try MailWish(wish), convert: { try await KindsHarness.converter.convert($0) },
            store: { bytes, type, name in BinaryReference(id: "x", mimeType: type, fileName: name, byteCount: bytes.count) })
        let parts = String(repeating: "--x\r\n\r\na\r\n", count: 1_100)
        let text = "Content-Type: multipart/mixed; boundary=x\r\n\r\n\(parts)--x--\r\n"
        let item = try await items.item(FoundMail(uid: 7, bytes: Array(text.utf8), isTooLarge: false))
        #expect(item.json["error"]?.text?.contains("parts") == true && item.json["raw"]?.text?.hasPrefix("--x") == true)
        #expect(item.json["attributes"] == ["uid": 7])
    }

    @Test(arguments: ["read", "nothing"])
    func `a published trigger takes each mail once, and marks it as read where it is to`(action: String) async throws {
        try await with { server, outbound, credential in
            try server.deliver(plain("one"))
            try await WorkflowHarness.run(.sqlite) { harness in
                let lease = harness.lease
                let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
                let converter = KindsHarness.converter
                var services = EngineServices.plain
                services.credential = { _, _, _ in credential }
                services.facilities = StepFacilities(convert: { try await converter.convert($0) })
                services.facilities.network = ServiceNetwork(outbound: outbound)
                let engine = Engine(
                    database: lease.database, lease: worker, services: services,
                    configuration: Engine.Configuration(
                        kinds: .builtIn, load: { _, _, _ in throw Refusal.missing("workflow") },
                        resolve: { _, _ in throw Refusal.missing("workflow") },
                        errorWorkflow: { _, _ in nil }),
                    clock: lease.clock.clock, ids: lease.ids, blobs: lease.blobs)
                let poller = Poller(engine: engine, workflows: harness.workflows, services: services)
                let timers = TimerService(
                    database: lease.database, clock: lease.clock.clock, logger: engine.logger,
                    handlers: [Poller.timerKind: { try await poller.poll($0) }])
                let me = harness.principal()
                let held = try await harness.credentials.create(type: "imap", name: "Mail", fields: credential, by: me)
                let document = WorkflowDocument(
                    name: "Mail",
                    nodes: [
                        WorkflowNode(
                            id: "m", category: .trigger, kind: "email_trigger", kindVersion: 2, name: "Mail",
                            config: ["postProcessAction": .string(action)], connections: [.init(to: "n")],
                            credentials: ["imap": .init(id: held.id.description, name: "Mail")]),
                        WorkflowNode(id: "n", category: .action, kind: "no_op", name: "N")
                    ])
                let workflow = try await harness.workflows.create(document, by: me)
                _ = try await harness.workflows.publish(workflow.id, by: me)
                func poll() async throws -> [[JSON]] {
                    lease.clock.advance(by: .seconds(61))
                    try await timers.fireDue()
                    return try await lease.database.read(in: lease.tenant) { tx in
                        try RunStore(tx: tx).list(workflow: workflow.id, before: nil, limit: 10).reversed().map { run in
                            try PayloadReader(tx: tx, run: run.id, blobs: lease.blobs).input(run).items().compactMap { $0.json["subject"] }
                        }
                    }
                }
                #expect(try await poll() == [["one"]])
                #expect(try await poll() == [["one"]])
                try server.deliver(plain("two"))
                try await Task.sleep(for: .milliseconds(20))
                try server.deliver(plain("three"))
                #expect(try await poll() == [["one"], ["two", "three"]])
                #expect(try await poll() == [["one"], ["two", "three"]])
                #expect(try server.readCount() == (action == "read" ? 3 : 0))
                // The server numbers its mails anew.
                try await Task.sleep(for: .milliseconds(1_100))
                try server.forgetNumbers()
                #expect(try await poll() == [["one"], ["two", "three"]])
                try server.deliver(plain("four"))
                #expect(try await poll() == [["one"], ["two", "three"], ["four"]])
            }
        }
    }
}
