import Kernel
import Persistence
import Testing

@testable import Workflows

@Suite struct SetbacksTests {
    private let run = RunID(high: 1, low: 1)
    private let tenant = TenantID(high: 2, low: 2)
    private let refusal = PersistenceError.driver(code: "22021", message: "refused")

    /// How long a run waits each time it is refused.
    private func waits(_ setbacks: Setbacks, _ count: Int, _ error: any Error) -> [Duration] {
        (0..<count).map { _ in
            setbacks.add(run, tenant: tenant, after: error, at: .zero)
            return setbacks.takeDue(at: .seconds(1_000_000))[run]?.due ?? .seconds(-1)
        }
    }

    @Test func `what is refused waits twice as long each time, up to an hour`() {
        let setbacks = Setbacks()
        #expect(waits(setbacks, 6, refusal) == [.zero, .zero, .zero, .seconds(5), .seconds(10), .seconds(20)])
        #expect(waits(setbacks, 40, refusal).last == .seconds(3_600))
        setbacks.forget(run)
        #expect(waits(setbacks, 1, refusal) == [.zero])
    }

    @Test func `what was cut off by a database that is away is tried at once, however often`() {
        #expect(Set(waits(Setbacks(), 20, PersistenceError.unavailable("away"))) == [.zero])
        #expect(Set(waits(Setbacks(), 20, PersistenceError.diskFull("full"))) == [.zero])
    }

    @Test func `a run is taken out when its time has come, once`() {
        let setbacks = Setbacks()
        for _ in 0...Setbacks.patience { setbacks.add(run, tenant: tenant, after: refusal, at: .seconds(10)) }
        #expect(setbacks.takeDue(at: .seconds(14)).isEmpty)
        #expect(setbacks.takeDue(at: .seconds(15))[run] == .init(tenant: tenant, since: .seconds(10), due: .seconds(15)))
        #expect(setbacks.takeDue(at: .seconds(15)).isEmpty)
    }
}
