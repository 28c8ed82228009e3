internal import Foundation
internal import Kernel

/// Version 1 of the Date & Time node, whose formats are those of Moment.js.
struct LegacyDateTime: Sendable {
    private let step: StepContext

    init(_ step: StepContext) { self.step = step }

    func items() async throws -> [Item] {
        let action = try await step.text("action", default: "format")
        return try await step.eachItem { index, item in
            let value: String
            switch action {
            case "format": value = try await formatted(index)
            case "calculate": value = try await calculated(index)
            default: throw StepFailure.invalid("action", "The action '\(action)' is unknown.", item: index)
            }
            var item = item.paired(with: index)
            // The whole text is one name, dots and all.
            let name = try await step.text("dataPropertyName", item: index, default: "data")
            item.json[name] = .string(value)
            return [item]
        }
    }

    private func formatted(_ index: Int) async throws -> String {
        let from = try await option("fromTimezone", index)
        let to = try await option("toTimezone", index)
        let moment = try await moment(index, readIn: from ?? step.timeZone)
        let zone = from == nil && to == nil ? step.timeZone : to ?? step.timeZone
        let format = try await step.text("toFormat", item: index)
        let fields = try await MomentFields(moment, zone: zone, step, index)
        return MomentFormat(format).text(of: fields)
    }

    private func calculated(_ index: Int) async throws -> String {
        let unit = try await step.text("timeUnit", item: index, default: "days")
        guard DateTimeParameters.durationUnits.contains(unit) else {
            throw StepFailure.invalid("timeUnit", "'\(unit)' is no unit of time.", item: index)
        }
        let amount = try await step.number("duration", item: index) ?? 0
        let method = try await step.text("operation", item: index, default: "add") == "subtract" ? "minus" : "plus"
        let moment = try await moment(index, readIn: step.timeZone)
        let source = ".setZone($workflowZone).\(method)({ \(unit): $amount }).toUTC().toString()"
        let roots: JSONObject = ["$amount": .number(amount), "$workflowZone": .string(step.timeZone)]
        return try await moment.evaluated(source, step, index, roots: roots).displayText
    }

    private func option(_ name: String, _ index: Int) async throws -> String? {
        // One that was never added has no value, whatever it begins with once it is.
        guard step.rawOption(name) != nil else { return nil }
        return try await step.parameter("options.\(name)", item: index)?.text.flatMap { $0.isEmpty ? nil : $0 }
    }

    private func moment(_ index: Int, readIn zone: String) async throws -> LuxonMoment {
        guard let value = try await step.value("value", item: index), !value.isNull, value != "" else {
            throw StepFailure.invalid("value", "A date is missing.", item: index)
        }
        let isNumber = !value.coercedNumber.isNaN
        if let format = try await option("fromFormat", index), !isNumber {
            return LuxonMoment(text: value.displayText, format: MomentFormat(format).luxon, readIn: zone, zone: zone)
        }
        guard let milliseconds = DateTimeCalculation.milliseconds(of: value, timeZone: zone) else {
            throw StepFailure.invalid("value", "'\(value.displayText)' is no date that can be recognized; give its format.", item: index)
        }
        return LuxonMoment(milliseconds: milliseconds, zone: zone)
    }
}
