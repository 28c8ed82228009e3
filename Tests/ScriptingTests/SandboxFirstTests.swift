import Kernel
import Scripting
import Testing

struct SandboxFirstTests {
    @Test func `an expression is evaluated`() async throws {
        #expect(try await evaluate("1+1") == .json(2))
    }

    @Test func `a code script makes items of its input`() async throws {
        let scope = SandboxScope([["json": ["a": 1]], ["json": ["a": 2]]])
        let script = Script(source: "console.log('hi', {a: 1});\nreturn $input.all().map(i => ({json: {b: i.json.a * 2}}));", mode: .allItems)
        let result = try await Sandbox.shared.run(script, tenant: .test(1), scope: scope)
        #expect(result.items == [["json": ["b": 2]], ["json": ["b": 4]]])
        #expect(result.logs == [#"hi {"a":1}"#])
    }

    @Test func `the walls of this machine are reported`() {
        let report = SandboxCheck.report()
        #expect(report.available)
        #expect(report.walls.contains("seccomp"))
        #expect(report.missing == [])
    }
}
