import Kernel
import Persistence
import Synchronization
import Testing
import TestKit

@testable import Jobs

private struct Rang: Event {
    static let name = "bell.rang"
    static let version = 1
    var subject: String
    var number: Int
    var payload: JSON { ["number": .number(Double(number))] }
}

private struct Unheard: Event {
    static let name = "bell.unheard"
    static let version = 1
    var subject: String { "x" }
    var payload: JSON { [:] }
}

@Suite(.timeLimit(.minutes(3))) struct OutboxTests {
    private func emit(_ lease: DatabaseLease, _ subject: String, _ numbers: [Int]) async throws {
        for number in numbers {
            try await lease.database.write(in: lease.tenant) { try $0.emit(Rang(subject: subject, number: number)) }
        }
    }

    /// Two batches of one tenant, and one event of another. Gives how many the first has.
    @discardableResult
    private func emitMany(_ lease: DatabaseLease) async throws -> Int {
        let many = DeliveryStore.batchMaximum * 2
        try await lease.database.write(in: lease.tenant) { tx in
            for number in 0..<many { try tx.emit(Rang(subject: "many\(number)", number: number)) }
        }
        try await lease.database.write(in: lease.other) { try $0.emit(Rang(subject: "few", number: 1)) }
        return many
    }

    private func subscription(
        _ name: String, _ calls: Calls, failing: @escaping @Sendable (String, Int) -> Bool = { _, _ in false }
    ) -> Subscription {
        Subscription(Subscriber(event: Rang.name, name: name)) { delivery in
            let call = "\(delivery.subject)#\(delivery.payload["number"]?.integer ?? -1)"
            if failing(call, calls.add(call)) { throw Trouble() }
        }
    }

    private func service(_ lease: DatabaseLease, _ subscriptions: Subscription...) -> OutboxService {
        OutboxService(database: lease.database, logger: quiet, subscribers: subscriptions.map(\.subscriber), subscriptions: subscriptions)
    }

    private func count(_ lease: DatabaseLease, state: String) async throws -> Int {
        try await lease.database.readSystem { tx in
            try tx.all("SELECT event_id FROM outbox_deliveries WHERE state = \(state)").count
        }
    }

    private func events(_ lease: DatabaseLease) async throws -> Int {
        try await lease.database.readSystem { try $0.all("SELECT id FROM outbox_events").count }
    }

    private func drain(_ service: OutboxService) async throws { while try await service.deliverOnce() > 0 {} }

    @Test(arguments: DatabaseEngine.allCases)
    func `each subscriber gets each event once, in the order of its subject, and nothing is left`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let (one, two) = (Calls(), Calls())
            let service = service(lease, subscription("one", one), subscription("two", two))
            try await emit(lease, "a", [1, 2, 3])
            try await emit(lease, "b", [1, 2])
            try await lease.database.write(in: lease.tenant) { try $0.emit(Unheard()) }
            try await drain(service)
            for calls in [one, two] {
                #expect(calls.all.filter { $0.hasPrefix("a") } == ["a#1", "a#2", "a#3"])
                #expect(calls.all.filter { $0.hasPrefix("b") } == ["b#1", "b#2"])
            }
            #expect(try await events(lease) == 0)
            #expect(try await count(lease, state: "pending") == 0)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a failed delivery holds back its subject alone, for a wait that grows`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let isBroken = Mutex(true)
            let service = service(lease, subscription("one", calls) { call, _ in call == "a#1" && isBroken.withLock { $0 } })
            try await emit(lease, "a", [1, 2])
            try await emit(lease, "b", [1])
            try await drain(service)
            #expect(calls.all.sorted() == ["a#1", "b#1"])
            lease.clock.advance(by: .seconds(1))
            try await drain(service)
            lease.clock.advance(by: .seconds(1))
            try await drain(service)
            #expect(calls.all.filter { $0 == "a#1" }.count == 2)
            isBroken.withLock { $0 = false }
            lease.clock.advance(by: .seconds(1))
            try await drain(service)
            #expect(calls.all.suffix(2) == ["a#1", "a#2"])
            #expect(try await events(lease) == 0)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a delivery that never succeeds is set aside dead, and its subject goes on`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let service = service(lease, subscription("one", calls) { call, _ in call == "a#1" })
            try await emit(lease, "a", [1, 2])
            for _ in 0..<OutboxService.attemptsMaximum {
                try await drain(service)
                lease.clock.advance(by: .seconds(2_000))
            }
            try await drain(service)
            #expect(calls.all.filter { $0 == "a#1" }.count == OutboxService.attemptsMaximum)
            #expect(calls.all.last == "a#2")
            #expect(try await count(lease, state: "dead") == 1)
            #expect(try await count(lease, state: "pending") == 0)
            #expect(try await events(lease) == 1)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `an event for a subscriber of another process waits for that one, and is not taken by this one`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let (here, there) = (Calls(), Calls())
            let (own, other) = (subscription("here", here), subscription("there", there))
            let all = [own.subscriber, other.subscriber]
            let first = OutboxService(database: lease.database, logger: quiet, subscribers: all, subscriptions: [own])
            let idle = OutboxService(database: lease.database, logger: quiet, subscribers: all, subscriptions: [])
            let second = OutboxService(database: lease.database, logger: quiet, subscribers: all, subscriptions: [other])
            try await emit(lease, "a", [1, 2])
            try await drain(idle)
            #expect(try await count(lease, state: "pending") == 4)
            try await drain(first)
            #expect(here.all == ["a#1", "a#2"] && there.all.isEmpty)
            try await drain(second)
            #expect(there.all == ["a#1", "a#2"])
            #expect(try await events(lease) == 0)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `racing services deliver each event once`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            try await lease.database.write(in: lease.tenant) { tx in
                for number in 0..<30 { try tx.emit(Rang(subject: "s\(number % 10)", number: number)) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    let service = service(lease, subscription("one", calls))
                    group.addTask { try await drain(service) }
                }
                try await group.waitForAll()
            }
            // One service may end while another still holds a subject's head.
            try await drain(service(lease, subscription("one", calls)))
            #expect(calls.all.count == 30 && Set(calls.all).count == 30)
            for subject in 0..<10 {
                let numbers = calls.all.filter { $0.hasPrefix("s\(subject)#") }
                #expect(numbers == numbers.sorted { $0.count < $1.count || $0.count == $1.count && $0 < $1 })
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a subscriber that hangs holds up no other, and gets each event once`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let (gate, open) = AsyncStream<Void>.makeStream()
            let (heard, tell) = AsyncStream<Int>.makeStream()
            let hung = Calls()
            let service = service(
                lease,
                Subscription(Subscriber(event: Rang.name, name: "hangs")) { delivery in
                    hung.add(delivery.subject)
                    for await _ in gate {}
                }, Subscription(Subscriber(event: Rang.name, name: "quick")) { tell.yield($0.payload["number"]?.integer ?? -1) })
            let running = Task { try await service.run() }
            var numbers = heard.makeAsyncIterator()
            for number in 1...3 {
                try await emit(lease, "s\(number)", [number])
                let next = await numbers.next()
                #expect(next == number)
                // The claim of what hangs runs out, and is not begun again while it is in hand.
                lease.clock.advance(by: DeliveryStore.claim)
            }
            while hung.all.count < 2 { try await Task.sleep(for: .milliseconds(2)) }
            #expect(hung.all.sorted() == ["s1", "s2", "s3"] || hung.all.sorted() == ["s1", "s2"])
            open.finish()
            running.cancel()
            try await running.value
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a delivery whose claimer died is made again with the same key`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            try await emit(lease, "a", [1])
            let first = try await lease.database.writeSystem { tx in
                try DeliveryStore(tx: tx).fanOut([Rang.name: ["one"]])
                return try DeliveryStore(tx: tx).claimDue(of: ["one"])
            }
            let keys = Calls()
            let service = service(lease, Subscription(Subscriber(event: Rang.name, name: "one")) { keys.add($0.key) })
            try await drain(service)
            #expect(keys.all == [])
            lease.clock.advance(by: DeliveryStore.claim)
            try await drain(service)
            #expect(keys.all == first.map(\.key))
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a process of an older version keeps events for subscribers that only a newer one knows`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let (both, added, unheard) = (Calls(), Calls(), Calls())
            let known = subscription("both", both)
            let older = service(lease, known)
            let newer = service(
                lease, known, subscription("added", added), Subscription(Subscriber(event: Unheard.name, name: "unheard")) { unheard.add($0.name) })
            try await newer.noteSubscribers()
            try await older.noteSubscribers()
            try await emit(lease, "a", [1])
            try await lease.database.write(in: lease.tenant) { try $0.emit(Unheard()) }
            try await drain(older)
            #expect(both.all == ["a#1"] && added.all.isEmpty && unheard.all.isEmpty)
            try await drain(newer)
            #expect(both.all == ["a#1"] && added.all == ["a#1"] && unheard.all == [Unheard.name])
            #expect(try await events(lease) == 0)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a subscriber that no process names any more is waited for no longer than a day`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let with = service(lease, subscription("one", calls), subscription("gone", calls))
            let without = service(lease, subscription("one", calls))
            try await with.noteSubscribers()
            try await emit(lease, "a", [1])
            try await drain(without)
            #expect(try await count(lease, state: "pending") == 1)
            lease.clock.advance(by: SubscriberStore.lifetime + .seconds(1))
            try await without.noteSubscribers()
            #expect(try await count(lease, state: "pending") == 0)
            #expect(try await events(lease) == 0)
            try await emit(lease, "a", [2])
            try await drain(without)
            #expect(calls.all == ["a#1", "a#2"])
            #expect(try await events(lease) == 0)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a delivery that takes longer than its claim stays with its process, and not for ever`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            try await emit(lease, "a", [1])
            let held = try await lease.database.writeSystem { tx in
                try DeliveryStore(tx: tx).fanOut([Rang.name: ["one"]])
                return try DeliveryStore(tx: tx).claimDue(of: ["one"])
            }
            let calls = Calls()
            let other = service(lease, subscription("one", calls))
            var waited: Duration = .zero
            while waited < DeliveryStore.renewalMaximum {
                try await other.renew(held)
                lease.clock.advance(by: OutboxService.renewal)
                waited += OutboxService.renewal
                try await drain(other)
            }
            #expect(held.count == 1 && calls.all.isEmpty)
            try await other.renew(held)
            lease.clock.advance(by: DeliveryStore.claim)
            try await drain(other)
            #expect(calls.all == ["a#1"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a tenant with many events does not hold up another`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let service = service(lease, subscription("one", calls))
            let many = try await emitMany(lease)
            try await service.deliverOnce()
            #expect(calls.all.contains("few#1") && calls.all.count == DeliveryStore.batchMaximum)
            try await drain(service)
            #expect(calls.all.count == many + 1 && Set(calls.all).count == many + 1)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a tenant with many due deliveries does not hold up another`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let service = service(lease, subscription("one", calls))
            try await emitMany(lease)
            try await lease.database.writeSystem { tx in
                let store = DeliveryStore(tx: tx)
                for _ in 0..<3 { try store.fanOut([Rang.name: ["one"]]) }
            }
            try await service.deliverOnce()
            #expect(calls.all.contains("few#1") && calls.all.count == DeliveryStore.batchMaximum)
        }
    }
}

@Suite(.timeLimit(.minutes(4))) struct WakeTests {
    @Test func `a wake raised before or during the wait ends it, and nothing else but the limit does`() async {
        let wake = Wake()
        wake.raise()
        await wake.wait(atMost: .seconds(600))
        async let waiting: Void = wake.wait(atMost: .seconds(600))
        wake.raise()
        await waiting
        let started = ContinuousClock.now
        await wake.wait(atMost: .milliseconds(50))
        #expect(ContinuousClock.now - started >= .milliseconds(50))
    }

    @Test func `a cancelled wait returns`() async {
        let wake = Wake()
        let task = Task { await wake.wait(atMost: .seconds(600)) }
        task.cancel()
        await task.value
    }
}
