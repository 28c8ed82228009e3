import Kernel
import Scripting
import Testing

/// Scripts that wait for the outside keep nobody else waiting.
@Suite(.timeLimit(.minutes(3))) struct SandboxAskingTests {
    @Test func `while scripts wait for their requests others run`() async throws {
        var limits = SandboxLimits()
        limits.workers = 1
        limits.askingWorkers = 1
        let sandbox = Sandbox(limits: limits)
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        let (asked, tell) = AsyncStream.makeStream(of: Void.self)
        let source = "const answer = await this.helpers.httpRequest({url: 'https://example.com/slow'});\nreturn [{json: {answer}}];"
        let waiting = Script(
            source: source, mode: .allItems,
            helper: { _ in
                tell.yield()
                for await _ in held {}
                return ["status": 200, "reason": "OK", "headers": [:], "url": "https://example.com/slow", "text": "late"]
            })
        async let late = sandbox.run(waiting, tenant: .test(1), scope: SandboxScope())
        for await _ in asked.prefix(1) {}
        for tenant: UInt64 in 1...2 {
            let plain = Script(source: "return [{json: {of: \(tenant)}}];", mode: .allItems)
            let result = try await sandbox.run(plain, tenant: .test(tenant), scope: SandboxScope())
            #expect(result.items == [["json": ["of": .number(Double(tenant))]]])
        }
        release.finish()
        #expect(try await late.items.first?["json"]?["answer"] == "late")
    }
}
