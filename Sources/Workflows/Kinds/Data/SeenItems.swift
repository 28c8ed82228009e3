internal import Kernel

/// What a node remembers of the items of earlier runs, in its static data: values, or the highest number or time.
struct SeenItems: Sendable {
    private let step: StepContext

    init(_ step: StepContext) { self.step = step }

    static func clear(_ step: StepContext) { step.services.setStaticData(global: nil, node: [:]) }

    /// Output 0: items not seen before. Output 1: the others.
    func parted() async throws -> [[Item]] {
        switch try await step.text("logic", default: "removeItemsWithAlreadySeenKeyValues") {
        case "removeItemsUpToStoredIncrementalKey":
            return try await parted(by: "incrementalDedupeValue") { value in
                let number = value.coercedNumber
                return number.isNaN ? nil : number
            }
        case "removeItemsUpToStoredDate":
            return try await parted(by: "dateDedupeValue") { value in
                LooseTime.parse(value, timeZone: step.timeZone).map { Double($0.milliseconds) }
            }
        default: return try await byValue()
        }
    }

    private func byValue() async throws -> [[Item]] {
        let most = (try await step.parameter("options.historySize", item: 0)?.coercedNumber ?? 10_000).whole(in: 1...100_000) ?? 10_000
        var history = step.services.staticData().node["seen"]?.array?.compactMap(\.text) ?? []
        let before = Set(history)
        var seen = before
        var outputs: [[Item]] = [[], []]
        for (index, item) in step.items.enumerated() {
            let value = try await step.text("dedupeValue", item: index)
            if seen.insert(value).inserted { history.append(value) }
            outputs[before.contains(value) ? 1 : 0].append(item.paired(with: index))
        }
        step.services.setStaticData(global: nil, node: ["seen": .array(history.suffix(most).map { .string($0) })])
        return outputs
    }

    private func parted(by parameter: String, _ number: (JSON) -> Double?) async throws -> [[Item]] {
        let stored = step.services.staticData().node["highest"]?.double
        var highest = stored
        var outputs: [[Item]] = [[], []]
        for (index, item) in step.items.enumerated() {
            let value = try await step.value(parameter, item: index) ?? .null
            guard let key = number(value) else {
                throw StepFailure.invalid(parameter, "'\(value.displayText)' cannot be compared with earlier runs.", item: index)
            }
            outputs[stored.map { key > $0 } ?? true ? 0 : 1].append(item.paired(with: index))
            highest = max(highest ?? key, key)
        }
        if let highest { step.services.setStaticData(global: nil, node: ["highest": .number(highest)]) }
        return outputs
    }
}
