import Foundation
import Kernel
import Synchronization
import Testing

@testable import Outbound

@Suite(.timeLimit(.minutes(2))) struct ResolverTests {
    @Test func `a tenant whose name servers do not answer holds up no other`() async throws {
        let answers = DispatchSemaphore(value: 0)
        let asked = Mutex<[String]>([])
        let resolver = SystemResolver { host in
            asked.withLock { $0.append(host) }
            if host.hasPrefix("mute") { answers.wait() }
            return [.v4(0x0102_0304)]
        }
        let (hers, his) = (TenantID(high: 1, low: 1), TenantID(high: 2, low: 2))
        let names = 40
        let lookups = (0..<names).map { number in Task { try await resolver.addresses(of: "mute\(number)", for: hers) } }
        while asked.withLock({ $0.count }) < SystemResolver.concurrentPerTenant { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try await resolver.addresses(of: "quick", for: his) == [.v4(0x0102_0304)])
        // Who gave up waiting has the places still, as long as the threads wait.
        for lookup in lookups { lookup.cancel() }
        for lookup in lookups { await #expect(throws: CancellationError.self) { try await lookup.value } }
        #expect(asked.withLock { $0.count { $0.hasPrefix("mute") } } == SystemResolver.concurrentPerTenant)
        #expect(try await resolver.addresses(of: "quick", for: his).count == 1)
        for _ in 0..<names { answers.signal() }
        #expect(try await resolver.addresses(of: "quick", for: hers).count == 1)
        // Nobody waits for the others any more: they are not looked up.
        #expect(asked.withLock { $0.count { $0.hasPrefix("mute") } } == SystemResolver.concurrentPerTenant)
        await resolver.shutdown()
    }
}
