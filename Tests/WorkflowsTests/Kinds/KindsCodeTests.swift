import Foundation
import Kernel
import Outbound
import Scripting
import Testing

@testable import Workflows

/// Code nodes in Python, and what JavaScript asks of the outside.
@Suite(.timeLimit(.minutes(3)))
struct KindsCodeTests {
    private func python(_ source: String, _ language: String = "python", each: Bool = false, onError: WorkflowNode.OnError = .stop) -> WorkflowNode {
        let mode: JSON = each ? "runOnceForEachItem" : "runOnceForAllItems"
        return .make("code", 2, ["language": .string(language), "mode": mode, "pythonCode": .string(source)], onError: onError)
    }

    private func code(_ source: String, onError: WorkflowNode.OnError = .stop) -> WorkflowNode {
        .make("code", 2, ["jsCode": .string(source)], onError: onError)
    }

    private func failure(_ harness: KindsHarness, _ node: WorkflowNode, _ inputs: [[Item]] = [items(["a": 1])]) async -> StepFailure? {
        do { _ = try await harness.items(node, inputs: inputs); return nil } catch { return error as? StepFailure }
    }

    @Test func `a node runs Python over all items and over each`() async throws {
        let harness = KindsHarness()
        let input = items(["a": 1], ["a": 2])
        #expect(
            try await harness.node(python("return [{'sum': sum(i.json.a for i in _input.all())}]"), inputs: [input]) == [[["sum": 3]]])
        let each = try await harness.items(python("_item['json']['b'] = 1\nreturn _item", "pythonNative", each: true), inputs: [input])[0]
        #expect(each.map(\.json) == [["a": 1, "b": 1], ["a": 2, "b": 1]])
        #expect(each.map(\.pairedItem) == [[PairedItem(item: 0)], [PairedItem(item: 1)]])
    }

    @Test(arguments: ["python", "pythonNative"])
    func `a new node does what n8n's does`(language: String) async throws {
        let harness = KindsHarness()
        for each in [false, true] {
            let made = try await harness.node(python("", language, each: each), inputs: [items(["a": 1])])
            #expect(made[0].count == 1 && made[0][0].object?.count == 2)
        }
    }

    @Test func `files go on where the script hands them on`() async throws {
        let harness = KindsHarness()
        let file = BinaryReference(id: harness.files.write([1, 2]), mimeType: "image/png", fileName: "a.png", byteCount: 2)
        let given = [Item(json: ["a": 1], binary: ["data": file])]
        #expect(try await harness.items(python("return _input.all()"), inputs: [given])[0][0].binary["data"]?.id == file.id)
        #expect(try await harness.items(python("return _items", "pythonNative"), inputs: [given])[0][0].binary["data"]?.fileName == "a.png")
        #expect(try await harness.items(python("return [{'json': _json}]"), inputs: [given])[0][0].binary.isEmpty)
    }

    @Test func `a fault of the script names its line, and is an item where the node goes on`() async throws {
        let harness = KindsHarness()
        let failed = await failure(harness, python("a = 1\nreturn b"))
        #expect(failed?.code == "code_error" && failed?.details?["line"] == 2)
        let item = try await harness.items(python("return b", onError: .continueRegular), inputs: [items(["a": 1])])[0][0]
        #expect(item.json["error"] != nil)
        #expect(await failure(harness, python("return []", "ruby"))?.message.contains("JavaScript or Python") == true)
    }

    @Test(arguments: [WorkflowNode.OnError.continueRegular, .continueErrorOutput])
    func `where each item has a turn of its own, one that fails takes no other with it`(_ onError: WorkflowNode.OnError) async throws {
        let harness = KindsHarness()
        let given = items(["a": 1], ["a": 2], ["a": 3])
        let source = "if (item.json.a === 2) throw new Error('two'); return {b: item.json.a}"
        var each = code(source, onError: onError)
        each.config["mode"] = "runOnceForEachItem"
        let body: JSON = "if (item.a === 2) throw new Error('two'); return {b: item.a}"
        let old = WorkflowNode.make("function_item", 1, ["functionCode": body], onError: onError)
        let script = "if _json.a == 2:\n  raise ValueError('two')\nreturn {'b': _json.a}"
        for node in [each, old, python(script, each: true, onError: onError)] {
            let made = try await harness.items(node, inputs: [given])[0]
            #expect(made.map { $0.json["b"] ?? "none" } == [1, "none", 3])
            #expect(made.map { $0.json["error"]?.text?.hasSuffix("two") ?? false } == [false, true, false])
            #expect(made.map(\.pairedItem) == [[PairedItem(item: 0)], [PairedItem(item: 1)], [PairedItem(item: 2)]])
            #expect(made.map { $0.error?["code"] ?? "none" } == ["none", "code_error", "none"])
        }
    }

    @Test func `a script that cannot start fails for each item`() async throws {
        var broken = code("return ((", onError: .continueRegular)
        broken.config["mode"] = "runOnceForEachItem"
        let made = try await KindsHarness().items(broken, inputs: [items(["a": 1], ["a": 2])])[0]
        #expect(made.map { $0.json["error"] != nil } == [true, true])
        #expect(made.map(\.pairedItem) == [[PairedItem(item: 0)], [PairedItem(item: 1)]])
        broken.config["mode"] = "runOnceForAllItems"
        #expect(try await KindsHarness().items(broken, inputs: [items(["a": 1], ["a": 2])])[0].count == 1)
    }

    @Test func `Python sends no requests, whatever it writes to the client`() async throws {
        let harness = KindsHarness()
        let source = """
            import json, os
            text = json.dumps({'what': 'http', 'request': {'url': 'https://a.example'}}).encode()  # httpRequest
            os.write(3, (len(text) + 2).to_bytes(4, 'big') + bytes([1, 4]) + text)
            answer = os.read(3, 1000)
            return [{'json': {'told': 'unknown' in str(answer)}}]
            """
        #expect(try await harness.node(python(source), inputs: [items(["a": 1])]) == [[["told": true]]])
        #expect(harness.log.all.isEmpty)
    }

    @Test func `an import runs wholly where the language is known`() {
        let registry = KindRegistry.builtIn
        for language in ["javaScript", "python", "pythonNative"] {
            #expect(registry.supports(n8nType: "n8n-nodes-base.code", version: 2, parameters: ["language": .string(language)]))
        }
        #expect(!registry.supports(n8nType: "n8n-nodes-base.code", version: 2, parameters: ["language": "ruby"]))
    }

    // MARK: helpers

    @Test func `a script sends requests as its options say`() async throws {
        var harness = KindsHarness()
        harness.network = { request in
            OutboundResponse(status: 201, reason: "Created", headers: [("X-Seen", "1")], body: Array(#"{"ok":[1]}"#.utf8), url: request.url)
        }
        let source = """
            const first = await this.helpers.httpRequest({method: 'post', baseURL: 'https://a.example/v1/', url: '/things', qs: {q: 'a b', n: [1, 2]},
              arrayFormat: 'repeat', headers: {'X-Own': 'x'}, body: {k: 'ü'}, json: true, auth: {username: 'u', password: 'p'}, timeout: 2000,
              disableFollowRedirect: true, returnFullResponse: true});
            const second = await $helpers.httpRequest({url: 'https://a.example/second', encoding: 'arraybuffer'});
            const third = await helpers.request({uri: 'https://a.example/third', method: 'POST', form: {a: 'b c'}});
            return [{json: {first, second: second.toString('base64'), third}}];
            """
        let made = try await harness.node(code(source), inputs: [items(["a": 1])])[0][0]
        #expect(
            made == [
                "first": ["body": ["ok": [1]], "headers": ["x-seen": "1"], "statusCode": 201, "statusMessage": "Created"],
                "second": .string(Data(#"{"ok":[1]}"#.utf8).base64EncodedString()), "third": #"{"ok":[1]}"#
            ])
        let sent = harness.log.all
        #expect(sent.map(\.method) == ["POST", "GET", "POST"])
        #expect(sent[0].url == "https://a.example/v1/things?q=a%20b&n=1&n=2")
        #expect(sent[0].timeout == .seconds(2) && !sent[0].followRedirects && sent[1].followRedirects)
        func header(_ name: String, _ index: Int) -> String? { sent[index].headers.first { $0.name.lowercased() == name }?.value }
        #expect(header("authorization", 0) == "Basic dTpw")
        #expect(header("content-type", 0) == "application/json")
        #expect(header("accept", 0) == "application/json")
        #expect(header("x-own", 0) == "x")
        #expect([0, 1, 2].map { header("idempotency-key", $0) } == ["key-0", nil, "key-2"])
        #expect(header("content-type", 2) == "application/x-www-form-urlencoded")
        guard case .bytes(let json) = sent[0].body, case .bytes(let form) = sent[2].body else {
            Issue.record("a body went out as something else")
            return
        }
        #expect(String(decoding: json, as: UTF8.self) == #"{"k":"ü"}"#)
        #expect(["a=b+c", "a=b%20c"].contains(String(decoding: form, as: UTF8.self)))
    }

    @Test func `a status of 400 and up is an error that the script may catch`() async throws {
        var harness = KindsHarness()
        harness.network = { OutboundResponse(status: 404, reason: "Not Found", body: Array("gone".utf8), url: $0.url) }
        let caught = code("try { await helpers.httpRequest({url: 'https://a.example'}) } catch (e) { return {s: e.statusCode, d: e.response.data} }")
        #expect(try await harness.node(caught, inputs: [items(["a": 1])])[0] == [["s": 404, "d": "gone"]])
        let ignoring = code("return {x: await helpers.httpRequest({url: 'https://a.example', ignoreHttpStatusErrors: true})}")
        #expect(try await harness.node(ignoring, inputs: [items(["a": 1])])[0] == [["x": "gone"]])
        let failed = await failure(harness, code("await helpers.httpRequest({url: 'https://a.example'})"))
        #expect(failed?.message == "Request failed with status code 404")
        #expect(failed?.details?["status"] == 404 && failed?.details?["request"] == 0)
        #expect(failed?.isRefusal == true && failed?.refusedItem == 0, "a retry asks anew under another key")
    }

    @Test func `what may not be reached, or not be asked, is told`() async throws {
        var harness = KindsHarness()
        harness.network = { _ in throw OutboundError(.forbiddenAddress, "the address may not be reached") }
        let forbidden = await failure(harness, code("return {x: await helpers.httpRequest({url: 'http://127.0.0.1'})}"))
        #expect(forbidden?.message == "the address may not be reached")
        let hidden = await failure(harness, code("return {x: await helpers['http' + 'Request']({url: 'http://a.example'})}"))
        #expect(hidden?.message.contains("unknown") == true)
        let authenticated = code("return {x: await this.helpers.httpRequestWithAuthentication.call(this, 'x', {url: 'http://a.example'})}")
        #expect(await failure(harness, authenticated)?.message.contains("no credentials") == true)
        #expect(await failure(harness, code("await helpers.httpRequest({url: 'http://a', proxy: 'http://b'})"))?.message.contains("proxy") == true)
        #expect(await failure(harness, code("await helpers.httpRequest({})"))?.message.contains("needs a url") == true)
    }

    @Test func `a script sends a hundred requests at most`() async throws {
        let harness = KindsHarness()
        let source = "for (let i = 0; i < 101; i++) await helpers.httpRequest({url: 'https://a.example'}); return []"
        #expect(await failure(harness, code(source))?.message == "a script may send 100 requests at most")
        #expect(harness.log.all.count == 100)
    }

    @Test func `the time that a request takes is not the script's`() async throws {
        var harness = KindsHarness()
        harness.network = { request in
            // Three of them are longer than the script's limit and the grace after it.
            try await Task.sleep(for: .seconds(2))
            return OutboundResponse(status: 200, body: Array("1".utf8), url: request.url)
        }
        let script = Script(
            source: "let n = 0; for (let i = 0; i < 3; i++) n += await helpers.httpRequest({url: 'https://a.example'}); return {n}", mode: .allItems,
            timeLimit: .seconds(5),
            helper: { [network = harness.network] _ in
                let response = try await network(OutboundRequest(url: "https://a.example"))
                return ["status": 200, "headers": [:], "text": .string(String(decoding: response.body, as: UTF8.self))]
            })
        let result = try await KindsHarness.sandbox.run(script, tenant: harness.tenant, scope: EmptyScope())
        #expect(result.items == [["json": ["n": 3]]])
    }

    @Test func `a step that is stopped while a request is under way ends`() async throws {
        let (started, begin) = AsyncStream<Void>.makeStream()
        let script = Script(
            source: "return {x: await helpers.httpRequest({url: 'https://a.example'})}", mode: .allItems,
            helper: { _ in
                begin.yield()
                try await Task.sleep(for: .seconds(3_600))
                return .null
            })
        let task = Task { try await KindsHarness.sandbox.run(script, tenant: TenantID(high: 7, low: 9), scope: EmptyScope()) }
        for await _ in started { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }

    @Test func `a script reads an item's file and makes one`() async throws {
        let harness = KindsHarness()
        let file = BinaryReference(id: harness.files.write(Array("héllo".utf8)), mimeType: "text/plain", fileName: "a.txt", byteCount: 6)
        let source = """
            const bytes = await this.helpers.getBinaryDataBuffer(0, 'data');
            const made = await this.helpers.prepareBinaryData(Buffer.from('x,y'), 'table.csv');
            return [{json: {text: bytes.toString()}, binary: {table: made}}];
            """
        let item = try await harness.items(code(source), inputs: [[Item(json: [:], binary: ["data": file])]])[0][0]
        #expect(item.json == ["text": "héllo"])
        #expect(item.binary["table"]?.mimeType == "text/csv" && item.binary["table"]?.fileName == "table.csv")
        #expect(item.binary["table"]?.id == "data:eCx5")
        #expect(await failure(harness, code("await helpers.getBinaryDataBuffer(0, 'data')"))?.message == "item 0 has no file \"data\"")
    }

    @Test func `a script reads a file's bytes in base64 where n8n shows them, and may set others`() async throws {
        let harness = KindsHarness()
        let file = BinaryReference(id: harness.files.write(Array("hello".utf8)), mimeType: "text/plain", fileName: "a.txt", byteCount: 5)
        let given = [[Item(json: [:], binary: ["a": file, "b": file])]]
        let source = """
            const { a, b } = $input.first().binary;
            const json = { data: a.data, text: Buffer.from(a.data, 'base64').toString(), keys: Object.keys(a).includes('data') };
            b.data = 'eCx5';
            return [{ json, binary: { a, b } }];
            """
        let item = try await harness.items(code(source), inputs: given)[0][0]
        #expect(item.json == ["data": "aGVsbG8=", "text": "hello", "keys": false])
        #expect(item.binary["a"]?.id == file.id && item.binary["b"]?.id == "data:eCx5" && item.binary["b"]?.fileName == "a.txt")
        let hidden = "const name = 'http' + 'Request'; return [{ json: await this.helpers[name]({ url: 'https://a.example' }), binary: {} }]"
        #expect(await failure(harness, code(hidden)) != nil && harness.log.all.isEmpty)
    }

    @Test func `a node whose script sends requests acts outside`() throws {
        let kind = try #require(KindRegistry.builtIn.kind("code"))
        #expect(kind.effect(of: code("return []")) == .pure)
        #expect(kind.effect(of: code("await this.helpers.httpRequest({url})")) == .keyed)
        let old = try #require(KindRegistry.builtIn.kind("function"))
        #expect(old.effect(of: .make("function", 1, ["functionCode": "await this.helpers.request('https://a.example')"])) == .keyed)
        let other = try #require(KindRegistry.builtIn.kind("set"))
        #expect(other.effect(of: .make("set", 3, ["jsCode": "httpRequest"])) == .pure)
    }
}

private struct EmptyScope: ExpressionScope {
    let facts = ExpressionFacts(now: KindsHarness.now, nodeName: "Node", seed: 1)
    func inputItems(_ input: Int) throws(ScopeError) -> [JSON] { [] }
    func items(ofNode name: String, output: Int, run: Int?) throws(ScopeError) -> [JSON] { [] }
    func pairedItem(ofNode name: String, itemIndex: Int) throws(ScopeError) -> JSON { .null }
    func isExecuted(_ name: String) -> Bool { false }
    func parameters(ofNode name: String) throws(ScopeError) -> JSON { [:] }
    func context(ofNode name: String) throws(ScopeError) -> JSON { [:] }
}
