internal import Kernel

/// Holds the run for a while, or until a time, and passes its items on.
struct WaitNode: NodeExecutor {
    static var kinds: [NodeKind] {
        let interval: Parameter.ShowWhen = ["resume": ["timeInterval"]]
        return [
            NodeKind(
                kind: "wait", version: 1.1, category: .action, title: "Wait", summary: "Holds the run for a while or until a time.",
                icon: "clock",
                parameters: [
                    Parameter(
                        "resume", .options, "Go on", default: "timeInterval",
                        options: [.init("timeInterval", "After a while"), .init("specificTime", "At a time")]),
                    Parameter("amount", .number, "Amount", default: 1, showWhen: interval.merging(["@version": ["<1.1"]]) { $1 }),
                    Parameter("amount", .number, "Amount", default: 5, showWhen: interval.merging(["@version": [">=1.1"]]) { $1 }),
                    Parameter("unit", .options, "Unit", default: "hours", options: units, showWhen: interval.merging(["@version": ["<1.1"]]) { $1 }),
                    Parameter(
                        "unit", .options, "Unit", default: "seconds", options: units, showWhen: interval.merging(["@version": [">=1.1"]]) { $1 }),
                    Parameter("dateTime", .dateTime, "Time", default: "", required: true, showWhen: ["resume": ["specificTime"]])
                ], n8nTypes: ["n8n-nodes-base.wait"])
        ]
    }

    private static var units: [Parameter.Option] {
        ["seconds", "minutes", "hours", "days"].map { .init(.init(.string($0)), $0) }
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let items = step.items.enumerated().map { $1.paired(with: $0) }
        if case .timer? = step.resume { return .items([items]) }
        let until = try await until(step)
        return until <= step.now ? .items([items]) : .wait(until: until)
    }

    private func until(_ step: StepContext) async throws -> Timestamp {
        switch try await step.text("resume", default: "timeInterval") {
        case "timeInterval":
            let amount = try await step.number("amount") ?? 1
            let seconds: [String: Double] = ["milliseconds": 0.001, "seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400]
            let unit = try await step.text("unit")
            guard let scale = seconds[unit] else { throw StepFailure.invalid("unit", "'\(unit)' is no unit of time.") }
            guard amount >= 0, amount * scale <= KindLimits.waitSeconds else {
                throw StepFailure.invalid("amount", "The wait must lie between 0 and \(Int(KindLimits.waitSeconds / 86_400)) days.")
            }
            return step.now + .microseconds(Int64(amount * scale * 1_000_000))
        case "specificTime":
            let value = try await step.value("dateTime") ?? .null
            guard let time = LooseTime.parse(value, timeZone: step.timeZone) else {
                throw StepFailure.invalid("dateTime", "'\(value.displayText)' is no time.")
            }
            return time
        case let way: throw StepFailure.invalid("resume", "Waiting for '\(way)' is not supported.")
        }
    }
}
