internal import Kernel

/// Sends each item to the output of the rule that it meets, or whose number an expression gives.
struct SwitchNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "switch", version: 3.2, category: .condition, title: "Switch", summary: "Sends items to one of several outputs.",
                icon: "switch", parameters: SwitchParameters.all,
                outputs: .entries(
                    parameter: "rules.values", nameKey: "outputKey", fallbackParameter: "options.fallbackOutput", fallbackValue: "extra"),
                n8nTypes: ["n8n-nodes-base.switch"]
            )
            .withOutputs(.fixed(["0", "1", "2", "3"]), when: ["@version": ["<2"]])
            .withOutputs(.count(parameter: "outputsAmount", default: 4), when: ["@version": ["<3"], "mode": ["expression"]])
            .withOutputs(.count(parameter: "numberOutputs", default: 4), when: ["mode": ["expression"]])
            .withOutputs(
                .entries(parameter: "rules.rules", nameKey: "outputKey", fallbackParameter: nil, fallbackValue: nil),
                when: ["@version": ["<3"]])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        var outputs = [[Item]](repeating: [], count: max(1, step.kind.outputNames(of: step.node).count))
        for (index, item) in step.items.enumerated() {
            let item = item.paired(with: index)
            do {
                for output in try await SwitchRouting(step: step, item: index, outputCount: outputs.count).outputs() {
                    outputs[output].append(item)
                }
            } catch {
                outputs[0].append(try step.failed(error, at: index))
            }
        }
        return .items(outputs)
    }
}

/// Where one item goes.
struct SwitchRouting: Sendable {
    let step: StepContext
    let item: Int
    let outputCount: Int

    /// None where no rule is met and there is no fallback.
    func outputs() async throws -> [Int] {
        if try await step.text("mode", item: item, default: "rules") == "expression" { return [try await numbered()] }
        let matched = step.version >= 3 ? try await modernRules() : try await legacyRules()
        if !matched.isEmpty { return matched }
        return try await fallback()
    }

    private func numbered() async throws -> Int {
        let output = try await step.value("output", item: item)?.coercedNumber ?? .nan
        guard output.rounded(.towardZero) == output, (0..<Double(outputCount)).contains(output) else {
            throw StepFailure.invalid("output", "The output must be a number from 0 to \(outputCount - 1).", item: item)
        }
        return Int(output)
    }

    private func modernRules() async throws -> [Int] {
        // Rules that are written and empty are none, where rules that are not written are n8n's one.
        if let written = step.node.config["rules"], written["values"] == nil { return [] }
        let test = PatternTest(step: step, item: item)
        let sendsToAll = try await step.parameter("options.allMatchingOutputs", item: item)?.isTruthy ?? false
        let raw = step.rawParameter("rules.values")
        var matched: [Int] = []
        for (index, rule) in (try await step.value("rules.values", item: item)?.array ?? []).enumerated() {
            let conditions = try FilterConditions(rule["conditions"] ?? [:], raw: raw?[index]?["conditions"])
            guard try await conditions.hold(for: test) else { continue }
            matched.append(index)
            if !sendsToAll { break }
        }
        return matched
    }

    private func legacyRules() async throws -> [Int] {
        let test = PatternTest(step: step, item: item)
        let type = try await step.text("dataType", item: item, default: "number")
        let left = try await step.value("value1", item: item)
        for (index, rule) in (try await step.value("rules.rules", item: item)?.array ?? []).enumerated() {
            let fallback: String = type == "number" ? "smaller" : type == "dateTime" ? "after" : "equal"
            let comparison = LegacyComparison(
                left: left, right: rule["value2"] ?? (type == "number" ? 0 : type == "boolean" ? false : ""),
                operation: rule["operation"]?.text ?? fallback, timeZone: step.timeZone, comparesTimes: type == "dateTime")
            guard try await comparison.holds(test) else { continue }
            let output = step.version < 2 ? rule["output"]?.integer ?? 0 : index
            guard (0..<outputCount).contains(output) else {
                throw StepFailure.invalid("rules.rules", "The output \(output) does not exist.", item: item)
            }
            return [output]
        }
        return []
    }

    private func fallback() async throws -> [Int] {
        let path = step.version >= 3 ? "options.fallbackOutput" : "fallbackOutput"
        guard let value = try await step.value(path, item: item) else { return [] }
        if value == "extra", step.version >= 3 { return [outputCount - 1] }
        guard let output = value.integer, (0..<outputCount).contains(output) else { return [] }
        return [output]
    }
}
