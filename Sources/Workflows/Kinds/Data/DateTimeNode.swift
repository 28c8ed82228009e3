internal import Foundation
internal import Kernel

/// n8n's Date & Time node. Luxon does the arithmetic, the same that expressions have: each operation is an expression.
struct DateTimeNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "date_time", version: 2, category: .action, title: "Date & time", summary: "Computes with dates and writes them.",
                icon: "clock", parameters: DateTimeParameters.all, n8nTypes: ["n8n-nodes-base.dateTime"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if step.version < 2 { return .items([try await LegacyDateTime(step).items()]) }
        let operation = try await step.text("operation", default: "getCurrentDate")
        return .items([
            try await step.eachItem { index, item in
                let calculation = DateTimeCalculation(step: step, item: index)
                let value = try await calculation.value(of: operation)
                let keeps = try await step.parameter("options.includeInputFields", item: index)?.isTruthy ?? false
                var json = keeps ? item.json : [:]
                json[try await step.text("outputFieldName", item: index)] = value
                return [Item(json: json, binary: keeps ? item.binary : [:])]
            }
        ])
    }
}

/// One operation of the node's version 2 for one item.
struct DateTimeCalculation: Sendable {
    let step: StepContext
    let item: Int

    func value(of operation: String) async throws -> JSON {
        switch operation {
        case "getCurrentDate": return try await current()
        case "addToDate", "subtractFromDate": return try await moved(operation == "addToDate" ? "plus" : "minus")
        case "formatDate": return try await formatted()
        case "roundDate": return try await rounded()
        case "getTimeBetweenDates": return try await difference()
        case "extractDate":
            let moment = try await moment("date", zone: step.timeZone)
            let part = try await step.text("part", item: item, default: "month")
            guard DateTimeParameters.units.contains(part) else { throw StepFailure.invalid("part", "'\(part)' is no part of a date.", item: item) }
            return try await moment.evaluated(part == "week" ? ".weekNumber" : ".get('\(part)')", step, item)
        default: throw StepFailure.invalid("operation", "The operation '\(operation)' is unknown.", item: item)
        }
    }

    private func current() async throws -> JSON {
        let zone = try await step.parameter("options.timezone", item: item)?.text.flatMap { $0.isEmpty ? nil : $0 } ?? step.timeZone
        let moment = LuxonMoment(milliseconds: Double(step.now.milliseconds), zone: zone)
        let keepsTime = try await step.flag("includeTime", item: item)
        let value = try await moment.evaluated((keepsTime ? "" : ".startOf('day')") + ".toString()", step, item)
        guard value != "Invalid DateTime" else { throw StepFailure.invalid("options", "The time zone '\(zone)' is unknown.", item: item) }
        return value
    }

    private func moved(_ method: String) async throws -> JSON {
        let unit = try await step.text("timeUnit", item: item, default: "days")
        guard DateTimeParameters.durationUnits.contains(unit) else {
            throw StepFailure.invalid("timeUnit", "'\(unit)' is no unit of time.", item: item)
        }
        let amount = try await step.number("duration", item: item) ?? 0
        let moment = try await moment("magnitude", zone: step.timeZone)
        return try await moment.evaluated(".\(method)({ \(unit): $amount }).toString()", step, item, roots: ["$amount": .number(amount)])
    }

    private func formatted() async throws -> JSON {
        guard let date = try await step.value("date", item: item), !date.isNull else { return .null }
        let usesWorkflowZone = try await step.parameter("options.timezone", item: item)?.isTruthy ?? false
        let fromFormat = try await step.parameter("options.fromFormat", item: item)?.text
        let moment = try await moment("date", zone: usesWorkflowZone ? step.timeZone : nil, format: fromFormat)
        let chosen = try await step.text("format", item: item, default: "MM/dd/yyyy")
        let format = chosen == "custom" ? try await step.text("customFormat", item: item) : chosen
        return try await moment.evaluated(".toFormat($format)", step, item, roots: ["$format": .string(format)])
    }

    private func rounded() async throws -> JSON {
        let moment = try await moment("date", zone: step.timeZone)
        if try await step.text("mode", item: item, default: "roundDown") == "roundUp" {
            let unit = try await unit("to")
            return try await moment.evaluated(".plus({ \(unit): 1 }).startOf('\(unit)').toString()", step, item)
        }
        return try await moment.evaluated(".startOf('\(try await unit("toNearest"))').toString()", step, item)
    }

    private func unit(_ parameter: String) async throws -> String {
        let unit = try await step.text(parameter, item: item, default: "month")
        guard DateTimeParameters.units.contains(unit) else { throw StepFailure.invalid(parameter, "'\(unit)' is no unit of time.", item: item) }
        return unit
    }

    private func difference() async throws -> JSON {
        let start = try await moment("startDate", zone: step.timeZone)
        let end = try await moment("endDate", zone: step.timeZone, prefix: "end_")
        let units = try await step.value("units", item: item)?.array ?? ["day"]
        let writesISO = try await step.parameter("options.isoString", item: item)?.isTruthy ?? false
        let roots = start.roots.merging(with: ["$units": .array(units)])
        return try await end.evaluated(".diff(\(start.source), $units).\(writesISO ? "toString" : "toObject")()", step, item, roots: roots)
    }

    // MARK: Reading dates

    /// A parameter as a moment: what is a Luxon date already stays one with its zone; a number counts seconds, or from twelve digits
    /// on milliseconds; a text is read in its format, or in one of the usual ones.
    private func moment(_ parameter: String, zone: String?, format: String? = nil, prefix: String = "") async throws -> LuxonMoment {
        if let source = try await luxonSource(of: parameter) { return LuxonMoment(source: source) }
        guard let value = try await step.value(parameter, item: item), !value.isNull, value != "" else {
            throw StepFailure.invalid(parameter, "A date is missing.", item: item)
        }
        if let format, !format.isEmpty {
            return LuxonMoment(text: value.displayText, format: format, readIn: step.timeZone, zone: zone ?? "Etc/UTC")
        }
        guard let milliseconds = DateTimeCalculation.milliseconds(of: value, timeZone: step.timeZone) else {
            throw StepFailure.invalid(parameter, "'\(value.displayText)' is no date that can be recognized; give its format.", item: item)
        }
        return LuxonMoment(milliseconds: milliseconds, zone: zone ?? DateTimeCalculation.writtenZone(of: value) ?? "Etc/UTC", prefix: prefix)
    }

    /// The expression of a parameter that is nothing but an expression with a Luxon date.
    private func luxonSource(of parameter: String) async throws -> String? {
        guard let raw = step.rawParameter(parameter)?.text, raw.hasPrefix("={{"), raw.hasSuffix("}}") else { return nil }
        let source = raw.dropFirst(3).dropLast(2)
        guard !source.contains("{{"), !source.contains("}}") else { return nil }
        let isLuxon = try await step.services.evaluate(.string("={{ DateTime.isDateTime(\(source)) }}"), item: item, roots: [:])
        return isLuxon == true ? "(\(source))" : nil
    }

    /// Digits from which on a number counts milliseconds.
    private static let millisecondDigits = 12

    static func milliseconds(of value: JSON, timeZone: String) -> Double? {
        var number = value.coercedNumber
        guard number.isNaN else {
            if number.rounded() != number { number *= 1_000 }
            guard number.rounded() == number, abs(number) < 8.64e15 else { return nil }
            return JSON.numberText(number).count < millisecondDigits ? number * 1_000 : number
        }
        return LooseTime.parse(value, timeZone: timeZone).map { Double($0.milliseconds) }
    }

    /// A text with an offset east of UTC is shown at that offset, in whole hours.
    private static func writtenZone(of value: JSON) -> String? {
        guard let text = value.text, let plus = text.firstIndex(of: "+"), let hours = Int(text[text.index(after: plus)...].prefix(2)) else {
            return nil
        }
        return hours == 0 ? "Etc/GMT" : "Etc/GMT-\(hours)"
    }
}

/// A moment as a Luxon expression, with the values that it needs.
struct LuxonMoment: Sendable {
    var source: String
    var roots: JSONObject = [:]

    init(source: String) { self.source = source }

    /// - Parameter prefix: of the values' names, where two moments stand in one expression.
    init(milliseconds: Double, zone: String, prefix: String = "") {
        source = "DateTime.fromMillis($\(prefix)milliseconds).setZone($\(prefix)zone)"
        roots = ["$\(prefix)milliseconds": .number(milliseconds), "$\(prefix)zone": .string(zone)]
    }

    init(text: String, format: String, readIn readZone: String, zone: String) {
        source = "DateTime.fromFormat($text, $read, { zone: $readZone }).setZone($zone)"
        roots = ["$text": .string(text), "$read": .string(format), "$readZone": .string(readZone), "$zone": .string(zone)]
    }

    /// - Throws: `invalid_parameter` where Luxon cannot tell.
    func evaluated(_ rest: String, _ step: StepContext, _ item: Int, roots others: JSONObject = [:]) async throws -> JSON {
        let value = try await step.services.evaluate(.string("={{ \(source)\(rest) }}"), item: item, roots: roots.merging(with: others))
        guard !value.isNull, value != "Invalid DateTime" else { throw StepFailure.invalid("date", "The date or its format is invalid.", item: item) }
        return value
    }
}

extension JSONObject {
    func merging(with other: JSONObject) -> JSONObject {
        var merged = self
        merged.merge(other)
        return merged
    }
}
