import Kernel
import Scripting
import Synchronization

/// A scope over fixed items, as the engine's over a run's.
final class SandboxScope: ExpressionScope {
    let facts: ExpressionFacts
    let inputs: [[JSON]]
    let nodes: [String: [JSON]]
    let parameters: [String: JSON]
    /// What was asked for, in order.
    let asked = Mutex<[String]>([])

    init(
        _ items: [JSON] = [["json": [:]]], nodes: [String: [JSON]] = [:], parameters: [String: JSON] = [:],
        facts: ExpressionFacts = SandboxScope.standardFacts
    ) {
        inputs = [items]
        self.nodes = nodes
        self.parameters = parameters
        self.facts = facts
    }

    /// Sunday, 1 March 2026, 13:30:15.250 in Berlin.
    static let standardFacts = ExpressionFacts(
        now: Timestamp(milliseconds: 1_772_368_215_250), timeZone: "Europe/Berlin", nodeName: "Here", runIndex: 2,
        workflow: ["id": "w1", "name": "Orders", "active": true], execution: ["id": "e1", "mode": "test", "resumeUrl": "http://x/resume"],
        prevNode: ["name": "Before", "outputIndex": 1, "runIndex": 0], variables: ["region": "eu"], mode: "manual", seed: 7,
        extraRoots: ["$pageCount": 3])

    func inputItems(_ input: Int) throws(ScopeError) -> [JSON] {
        asked.withLock { $0.append("input \(input)") }
        return inputs.indices.contains(input) ? inputs[input] : []
    }
    func items(ofNode name: String, output: Int, run: Int?) throws(ScopeError) -> [JSON] {
        asked.withLock { $0.append("items \(name) \(output) \(run.map(String.init) ?? "last")") }
        guard let items = nodes[name] else { throw ScopeError(code: "no_such_node", message: "there is no node \"\(name)\"") }
        return items
    }
    func pairedItem(ofNode name: String, itemIndex: Int) throws(ScopeError) -> JSON {
        guard let items = nodes[name], items.indices.contains(itemIndex) else {
            throw ScopeError(code: "no_paired_item", message: "no item of \"\(name)\" belongs to item \(itemIndex)")
        }
        return items[itemIndex]
    }
    func isExecuted(_ name: String) -> Bool { nodes[name] != nil }
    func parameters(ofNode name: String) throws(ScopeError) -> JSON { parameters[name] ?? [:] }
    func context(ofNode name: String) throws(ScopeError) -> JSON { name == "Before" ? ["currentRunIndex": 4, "noItemsLeft": false] : [:] }
}

extension TenantID {
    static func test(_ number: UInt64) -> TenantID { TenantID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | number) }
}

/// One expression's value, or what it threw.
@discardableResult
func evaluate(_ source: String, _ scope: SandboxScope = SandboxScope(), item: Int = 0) async throws -> ExpressionValue {
    try await Sandbox.shared.evaluate([ScriptBlock(source: source, itemIndex: item)], tenant: .test(1), scope: scope)[0].get()
}

extension Sandbox {
    /// With the platform's limits but for time, which a busy machine takes of its own.
    static let shared: Sandbox = {
        var limits = SandboxLimits()
        limits.evaluation = .seconds(60)
        limits.start = .seconds(60)
        return Sandbox(limits: limits)
    }()
}
