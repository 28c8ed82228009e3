import Kernel
import Scripting
import Testing

struct SandboxScriptTests {
    let scope = SandboxScope([["json": ["a": 1]], ["json": ["a": 2]]])

    func run(_ source: String, _ mode: Script.Mode = .allItems, global: JSON = [:]) async throws -> ScriptResult {
        let script = Script(source: source, mode: mode, staticGlobal: global, timeLimit: .seconds(60))
        return try await Sandbox.shared.run(script, tenant: .test(2), scope: scope)
    }

    func fault(_ source: String, _ mode: Script.Mode = .allItems) async -> ScriptError? {
        do { _ = try await run(source, mode); return nil } catch { return error as? ScriptError }
    }

    @Test func `each mode makes items`() async throws {
        #expect(
            try await run("return items.map(i => ({json: {b: i.json.a * 2}, pairedItem: 1}))").items == [
                ["json": ["b": 2], "pairedItem": 1], ["json": ["b": 4], "pairedItem": 1]
            ])
        #expect(
            try await run("return {b: $json.a}", .eachItem).items == [
                ["json": ["b": 1], "pairedItem": ["item": 0]], ["json": ["b": 2], "pairedItem": ["item": 1]]
            ])
        #expect(try await run("return $json.a == 1 ? null : {json: $json}", .eachItem).items == [["json": ["a": 2], "pairedItem": ["item": 1]]])
        #expect(try await run("items[0].json.z = 1; return items", .function).items == [["json": ["a": 1, "z": 1]], ["json": ["a": 2]]])
        #expect(
            try await run("item.b = item.a + 1; return item", .functionItem).items == [
                ["json": ["a": 1, "b": 2], "pairedItem": ["item": 0]], ["json": ["a": 2, "b": 3], "pairedItem": ["item": 1]]
            ])
    }

    @Test func `bare objects are wrapped, in a list or alone`() async throws {
        #expect(try await run("return [{x: 1}, {x: 2}]").items == [["json": ["x": 1]], ["json": ["x": 2]]])
        #expect(try await run("return {x: 1}").items == [["json": ["x": 1]]])
        #expect(try await run("return []").items == [])
    }

    @Test func `a wrong return value is told`() async throws {
        #expect(await fault("return 5")?.message.contains("but returned a number") == true)
        #expect(await fault("")?.message.contains("but returned nothing") == true)
        #expect(await fault("return [{json: 5}]")?.message.contains("\"json\" must be an object") == true)
        #expect(await fault("return [{json: {}, other: 1}]")?.message.contains("unknown key \"other\"") == true)
        #expect(await fault("return [{}]", .eachItem)?.message.contains("returned an array") == true)
    }

    @Test func `nothing in each-item mode and null in all-items mode give no items`() async throws {
        #expect(try await run("if ($json.a === 1) return; return {b: 2}", .eachItem).items == [["json": ["b": 2], "pairedItem": ["item": 1]]])
        #expect(try await run("return null").items == [])
    }

    @Test func `promises and timers are awaited`() async throws {
        let source =
            "const order = []; setTimeout(() => order.push('late'), 50); await new Promise(r => setTimeout(r, 10)); order.push('early'); await new Promise(r => setTimeout(r, 90)); return {order}"
        #expect(try await run(source).items == [["json": ["order": ["early", "late"]]]])
        #expect(await fault("await new Promise(() => {})")?.message.contains("nothing will ever settle") == true)
    }

    @Test func `static data comes back when it was changed`() async throws {
        let result = try await run("const s = $getWorkflowStaticData('global'); s.count = (s.count ?? 0) + 1; return []", global: ["count": 4])
        #expect(result.staticGlobal == ["count": 5])
        #expect(result.staticNode == nil)
    }

    @Test func `errors name the line of the script`() async throws {
        #expect(await fault("const a = 1;\nreturn missing.x")?.line == 2)
        let syntax = await fault("const a = 1;\nreturn ((")
        #expect(syntax?.kind == .syntax)
        #expect(await fault("require('fs')")?.message.contains("without modules") == true)
    }

    @Test func `buffers and digests`() async throws {
        let source = "return {b: Buffer.from('héllo').toString('base64'), h: Buffer.from('68690a', 'hex').toString(), a: atob(btoa('x'))}"
        #expect(try await run(source).items == [["json": ["b": "aMOpbGxv", "h": "hi\n", "a": "x"]]])
    }

    @Test func `nothing is left behind for the next script`() async throws {
        _ = try await run("globalThis.leak = 1; Array.prototype.leak = 2; String.prototype.trim = () => 'gone'; return []")
        #expect(
            try await run("return {a: typeof leak, b: [].leak === undefined, c: ' x '.trim()}").items == [
                ["json": ["a": "undefined", "b": true, "c": "x"]]
            ])
    }
}
