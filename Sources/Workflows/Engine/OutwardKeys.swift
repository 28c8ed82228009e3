internal import Crypto
internal import Kernel

/// What the idempotency keys are made of that a run's steps name outside.
package struct OutwardKeys: Sendable, Hashable {
    /// What they begin with: the id of the first of the runs that retry each other; for a called run a digest of its caller's key.
    private(set) var base: String
    /// Items that were refused and ask anew: what their keys begin with, by step and item.
    private(set) var renewed: [String: [Int: String]] = [:]

    init(of run: RunID) { base = run.description }

    /// Of a run that a step calls: the same each time the step is executed with the same key. A step calls once.
    init(calledBy key: String, index: Int) {
        base = SHA256.hash(data: Array("\(key)-\(index)".utf8)).prefix(16).hexText
    }

    func key(of node: String, runIndex: Int) -> String { "\(base)-\(node)-\(runIndex)" }

    /// Whole keys of the step's items that have one apart from the step's.
    func renewedItems(of node: String, runIndex: Int) -> [Int: String] {
        guard let items = renewed["\(node)-\(runIndex)"] else { return [:] }
        return Dictionary(uniqueKeysWithValues: items.map { ($0, "\($1)-\(node)-\(runIndex)-\($0)") })
    }

    /// Lets the item that a step failed with ask under a key of its own, where the other side has refused the request: a service that remembers keys
    /// answers the old one with the old refusal.
    mutating func renew(_ failure: StepFailure, of node: String, runIndex: Int, for run: RunID) {
        guard let item = failure.refusedItem, renewed.values.reduce(0, { $0 + $1.count }) < Limits.renewedKeysPerRun else { return }
        renewed["\(node)-\(runIndex)", default: [:]][item] = run.description
    }
}

/// Which idempotency keys a replay's steps name outside.
package enum ReplayKeys: String, Sendable {
    /// Those of the run that is replayed: what it has done outside is not done twice by services that know keys.
    case kept
    /// Keys of its own: all is asked for anew.
    case new
}

extension StepFailure {
    /// Whether the other side has refused the request, so that it had no effect. An answer that tells of a conflict, a limit or a fault over
    /// there leaves that open.
    var isRefusal: Bool {
        guard code == "http_error" || code == "code_error", let status = details?["status"]?.integer else { return false }
        return (400..<500).contains(status) && ![408, 409, 425, 429].contains(status)
    }

    /// The item whose request was refused; of a script the request's number.
    var refusedItem: Int? {
        guard isRefusal else { return nil }
        return code == "code_error" ? details?["request"]?.integer : itemIndex
    }
}

extension OutwardKeys {
    /// As a run's row keeps it.
    var stored: String {
        var members: JSONObject = ["base": .string(base)]
        if !renewed.isEmpty {
            let steps = renewed.map { step, items in
                (step, JSON.object(JSONObject(items.sorted { $0.key < $1.key }.map { (String($0), JSON.string($1)) })))
            }
            members["renewed"] = .object(JSONObject(steps.sorted { $0.0 < $1.0 }))
        }
        return JSON.object(members).serialized
    }

    init(stored text: String) throws {
        let value = try JSON(parsing: text)
        guard let base = value["base"]?.text else { throw UnreadableEvent(reason: "the keys of a run have no beginning") }
        self.base = base
        for (step, items) in value["renewed"]?.object ?? [:] {
            for (item, run) in items.object ?? [:] {
                guard let item = Int(item), let run = run.text else { throw UnreadableEvent(reason: "the keys of a run name no item") }
                renewed[step, default: [:]][item] = run
            }
        }
    }
}
