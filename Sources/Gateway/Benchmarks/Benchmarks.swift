internal import Foundation
internal import HTTPSurface
package import Kernel
internal import Logging
internal import Persistence
internal import Synchronization
internal import Tenancy
internal import Workflows

/// What `make bench` measures inside the program.
package enum Benchmarks {
    package static func serveBare(port: Int) async throws { try await BareServer.run(port: port) }

    /// Starts chains of three steps with an effect each and waits for their ends, `clients` at a time.
    package static func chain(_ configuration: PlatformConfiguration, runs: Int, clients: Int) async throws -> JSON {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let platform = try await Platform(configuration, logger: logger)
        let automation = try await platform.makeAutomation(kinds: .withBenchmarkStep)
        let new = NewTenant(name: "Bench", subdomain: "bench", plan: .custom)
        let tenant = try await platform.tenancy.createTenant(new, owner: "bench@example.com", by: .system(in: nil)).tenant.id
        let document = chainDocument
        let workflow: WorkflowID = platform.ids.next()
        let times = try await measure(runs: runs, clients: clients) {
            let handle = try await automation.engine.start(
                RunStart(
                    tenant: tenant, workflow: workflow, version: 1, document: document, trigger: "Start", items: .single, mode: "manual"))
            let result = await handle.finished()
            guard result.status == .succeeded else { throw Refusal(.conflict, "bench", "a run ended as \(result.status)") }
        }
        await platform.close()
        return times
    }

    /// Stores runs that are over: a trigger and two steps without effects each.
    package static func fill(_ configuration: PlatformConfiguration, tenant subdomain: String, runs: Int, clients: Int) async throws -> JSON {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let platform = try await Platform(configuration, logger: logger)
        let automation = try await platform.makeAutomation(kinds: .builtIn)
        guard let tenant = try await platform.tenancy.tenantID(subdomain: subdomain) else { throw Refusal.missing("tenant") }
        let document = fillDocument
        let workflow: WorkflowID = platform.ids.next()
        let items = ItemList([Item(json: ["name": "Ada", "city": "London", "note": .string(String(repeating: "x", count: 200))])])
        let times = try await measure(runs: runs, clients: clients) {
            let start = RunStart(tenant: tenant, workflow: workflow, version: 1, document: document, trigger: "Start", items: items, mode: "manual")
            _ = await (try await automation.engine.start(start)).finished()
        }
        await platform.close()
        return times
    }

    /// Creates tenants of the custom plan.
    /// - Returns: `{"tenants": [{"subdomain", "api_key"}]}`
    package static func tenants(_ configuration: PlatformConfiguration, count: Int, first: Int) async throws -> JSON {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let platform = try await Platform(configuration, logger: logger)
        var made: [JSON] = []
        for number in first..<(first + count) {
            let new = NewTenant(name: "Tenant \(number)", subdomain: "tenant-\(number)", plan: .custom)
            let created = try await platform.tenancy.createTenant(new, owner: "owner-\(number)@example.com", by: .system(in: nil))
            made.append(["subdomain": .string(new.subdomain), "api_key": .string(created.apiKey)])
        }
        await platform.close()
        return ["tenants": .array(made)]
    }

    /// Three transactions a run, with rows of the same number and size, through the same group commit.
    package static func raw(_ configuration: PlatformConfiguration, runs: Int, clients: Int) async throws -> JSON {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let platform = try await Platform(configuration, logger: logger)
        let tenant: TenantID = platform.ids.next()
        let times = try await measure(runs: runs, clients: clients) {
            for step in 0..<4 {
                try await platform.database.write(in: tenant) { tx in
                    for row in 0..<(step == 0 ? 3 : 2) {
                        try tx.meter(
                            "bench", quantity: 1, key: "\(tx.ids.next(Never.self))-\(row)", at: tx.clock.now(),
                            dimensions: ["step": .number(Double(step))])
                    }
                }
            }
        }
        await platform.close()
        return times
    }

    private static func measure(runs: Int, clients: Int, _ body: @escaping @Sendable () async throws -> Void) async throws -> JSON {
        for _ in 0..<20 { try await body() }
        let tally = Tally(runs)
        let begin = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<clients {
                group.addTask {
                    while tally.take() {
                        let start = ContinuousClock.now
                        try await body()
                        tally.note(Double((ContinuousClock.now - start).microseconds) / 1_000)
                    }
                }
            }
            try await group.waitForAll()
        }
        let seconds = Double((ContinuousClock.now - begin).microseconds) / 1_000_000
        let sorted = tally.sorted
        func pick(_ share: Double) -> JSON { .number(sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]) }
        return [
            "runs": .number(Double(runs)), "clients": .number(Double(clients)), "runs_per_s": .number((Double(runs) / seconds * 10).rounded() / 10),
            "p50_ms": pick(0.5), "p99_ms": pick(0.99)
        ]
    }

    private static var fillDocument: WorkflowDocument {
        func node(_ name: String, _ kind: String, to next: String?) -> WorkflowNode {
            WorkflowNode(
                id: name, category: kind == "manual" ? .trigger : .action, kind: kind, name: name,
                connections: next.map { [WorkflowConnection(to: $0)] } ?? [])
        }
        return WorkflowDocument(
            name: "Fill", nodes: [node("Start", "manual", to: "A"), node("A", "no_op", to: "B"), node("B", "no_op", to: nil)])
    }

    private static var chainDocument: WorkflowDocument {
        func step(_ name: String, to next: String?) -> WorkflowNode {
            WorkflowNode(
                id: name, category: .action, kind: BenchmarkStep.kind, name: name, connections: next.map { [WorkflowConnection(to: $0)] } ?? [])
        }
        let start = WorkflowNode(id: "start", category: .trigger, kind: "manual", name: "Start", connections: [WorkflowConnection(to: "A")])
        return WorkflowDocument(name: "Chain", nodes: [start, step("A", to: "B"), step("B", to: "C"), step("C", to: nil)])
    }
}

/// Work that is left, and how long each piece took.
private final class Tally: Sendable {
    private let left: Mutex<Int>
    private let latencies = Mutex<[Double]>([])

    init(_ count: Int) { left = Mutex(count) }

    func take() -> Bool {
        left.withLock { left in
            left -= 1
            return left >= 0
        }
    }
    func note(_ milliseconds: Double) { latencies.withLock { $0.append(milliseconds) } }
    var sorted: [Double] { latencies.withLock { $0.sorted() } }
}

/// A step with an effect, so that its result is committed before the next one begins.
struct BenchmarkStep: NodeExecutor {
    static let kind = "benchmark_step"
    static var kinds: [NodeKind] {
        [NodeKind(kind: kind, category: .action, title: "Benchmark step", summary: "Adds one.", effect: .keyed)]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let value = step.items.first?.json["value"]?.double ?? 0
        return .items([[Item(json: ["value": .number(value + 1)])]])
    }
}

extension KindRegistry {
    /// The built-in kinds and the step of the benchmarks.
    static var withBenchmarkStep: KindRegistry {
        var registry = KindRegistry.builtIn
        registry.add(BenchmarkStep.self)
        return registry
    }
}
