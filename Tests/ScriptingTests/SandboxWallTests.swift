import Kernel
import Scripting
import TestKit
import Testing

@Suite(.timeLimit(.minutes(4)))
struct SandboxWallTests {
    let scope = SandboxScope()

    func fault(_ source: String, _ sandbox: Sandbox = .shared, tenant: TenantID = .test(3), limit: Duration = .milliseconds(300)) async
        -> ScriptError?
    {
        do {
            _ = try await sandbox.run(Script(source: source, mode: .allItems, timeLimit: limit), tenant: tenant, scope: scope)
            return nil
        } catch { return error as? ScriptError }
    }

    @Test(arguments: [
        "while (true) {}", "for (;;) await null", "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "const f = () => setTimeout(f, 0); f(); await new Promise(() => {})"
    ])
    func `what never ends is stopped`(source: String) async {
        #expect(await fault(source)?.kind == .timeLimit)
    }

    @Test(arguments: [
        "const a = []; while (true) a.push(new Array(1e5).fill(1.5))",
        "let s = 'x'; const keep = []; while (true) { s = (s + 'abcdefgh').repeat(64).slice(0, 3e7); keep.push(s + keep.length) }"
    ])
    func `a memory bomb is stopped`(source: String) async {
        #expect(await fault(source, limit: .seconds(100))?.kind == .memoryLimit)
    }

    @Test func `a string beyond the engine's bounds is an error of the script alone`() async {
        let kind = await fault("return {s: 'x'.repeat(2 ** 31)}", limit: .seconds(60))?.kind
        #expect(kind == .runtime || kind == .memoryLimit)
    }

    @Test func `a giant output is refused`() async {
        var limits = SandboxLimits()
        limits.outputBytes = 10_000
        #expect(await fault("return {s: 'x'.repeat(20000)}", Sandbox(limits: limits), limit: .seconds(20))?.kind == .outputLimit)
    }

    @Test func `a walk to the constructors stays inside`() async throws {
        let script = Script(
            source:
                "const p = this?.constructor?.constructor ?? (() => {}).constructor; return {process: p('return typeof process')(), names: p('return Object.getOwnPropertyNames(globalThis).filter(n => /^(__|aias|process|fetch|XMLHttp|WebSocket|Deno)/.test(n))')()}",
            mode: .allItems)
        let result = try await Sandbox.shared.run(script, tenant: .test(3), scope: scope)
        #expect(result.items == [["json": ["process": "undefined", "names": []]]])
    }

    @Test(arguments: [[], ["--without-landlock"]])
    func `native code behind the walls reaches nothing`(option: [String]) throws {
        let program = try #require(SandboxProgram.find())
        let report = try JSON(parsing: ServiceProcess.output(of: [program, "--probe-walls"] + option))
        let attempts = try #require(report["attempts"]?.object)
        #expect(attempts.count == 30)
        for (name, code) in attempts where option.isEmpty || !name.hasPrefix("before_close") { #expect(code != 0, "\(name) worked") }
    }

    @Test func `after a crash the next call works and other tenants are unharmed`() async throws {
        async let other = fault(
            "const end = []; for (let i = 0; i < 2e6; i++) end[i % 10] = i; return {ok: true}", tenant: .test(5), limit: .seconds(60))
        #expect(await fault("while (true) {}", tenant: .test(4))?.kind == .timeLimit)
        #expect(await fault("return {ok: true}", tenant: .test(4), limit: .seconds(60)) == nil)
        #expect(await other == nil)
    }

    @Test func `two tenants never share a process`() async throws {
        var limits = SandboxLimits()
        limits.workers = 1
        // Long, so that a busy machine does not end the process between two calls.
        limits.idle = .seconds(120)
        let sandbox = Sandbox(limits: limits)
        #expect(await fault("return {}", sandbox, tenant: .test(6), limit: .seconds(60)) == nil)
        let first = sandbox.idlePIDs
        #expect(await fault("return {}", sandbox, tenant: .test(6), limit: .seconds(60)) == nil)
        #expect(sandbox.idlePIDs == first)
        #expect(await fault("return {}", sandbox, tenant: .test(7), limit: .seconds(60)) == nil)
        #expect(sandbox.idlePIDs.count == 1)
        #expect(sandbox.idlePIDs != first)
    }

    @Test func `an idle process ends`() async throws {
        var limits = SandboxLimits()
        limits.idle = .milliseconds(30)
        let sandbox = Sandbox(limits: limits)
        #expect(await fault("return {}", sandbox, limit: .seconds(60)) == nil)
        while !sandbox.idlePIDs.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test func `fifty callers of five tenants are all answered`() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let scope = SandboxScope([["json": ["n": .number(Double(number))]]])
                    let values = try await Sandbox.shared.evaluate(
                        [ScriptBlock(source: "$json.n * 2", itemIndex: 0)], tenant: .test(UInt64(10 + number % 5)), scope: scope)
                    return values == [.success(.json(.number(Double(number * 2))))]
                }
            }
            for try await right in group { #expect(right) }
        }
    }

    @Test func `without the program everything is refused`() async {
        #expect(await fault("return {}", Sandbox(program: nil))?.kind == .unavailable)
        #expect(!SandboxCheck.report(program: nil).available)
    }

    @Test func `a cancelled caller stops its script`() async {
        let task = Task {
            try await Sandbox.shared.run(Script(source: "while (true) {}", mode: .allItems, timeLimit: .seconds(60)), tenant: .test(8), scope: scope)
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
