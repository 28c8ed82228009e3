internal import Kernel

/// Starts at the times of its rules.
struct ScheduleTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "schedule", version: 1.2, category: .trigger, title: "Schedule", summary: "Starts the workflow at set times.", icon: "clock",
                parameters: [
                    Parameter(
                        "rule", .collection, "Rules", default: .init(["interval": [["field": "days"]]]),
                        fields: [Parameter("interval", .list, "Rules", fields: ScheduleParameters.interval)])
                ], inputs: .fixed([]), n8nTypes: ["n8n-nodes-base.scheduleTrigger"]),
            NodeKind(
                kind: "cron", category: .trigger, title: "Cron", summary: "Starts the workflow at set times (n8n's old node).", icon: "clock",
                parameters: [
                    Parameter(
                        "triggerTimes", .collection, "Times", default: .init([:]),
                        fields: [Parameter("item", .list, "Times", fields: ScheduleParameters.cron)])
                ], inputs: .fixed([]), n8nTypes: ["n8n-nodes-base.cron"]),
            NodeKind(
                kind: "interval", category: .trigger, title: "Interval", summary: "Starts the workflow again and again (n8n's old node).",
                icon: "clock",
                parameters: [
                    Parameter("interval", .number, "Interval", default: 1),
                    Parameter(
                        "unit", .options, "Unit", default: "seconds",
                        options: [.init("seconds", "Seconds"), .init("minutes", "Minutes"), .init("hours", "Hours")])
                ], inputs: .fixed([]), n8nTypes: ["n8n-nodes-base.interval"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if let first = step.items.first, !first.json.isEmpty || step.kind.kind == "cron" { return .items([step.items]) }
        guard step.kind.kind == "schedule" else { return .items([step.startItems]) }
        return .items([[Item(json: ScheduleItem(step.now, timeZone: step.timeZone).json)]])
    }
}

/// What a schedule node gives out: its time, for machines and for people.
struct ScheduleItem: Sendable {
    let json: JSONObject

    init(_ time: Timestamp, timeZone: String) {
        let offset = ZoneOffsets(timeZone).offset(at: time)
        let local = Timestamp(microseconds: time.microseconds + offset * 1_000_000)
        let day = local.seconds.flooringDivision(86_400)
        let (year, month, dayOfMonth) = Timestamp.civil(fromDays: day)
        let second = local.seconds - day * 86_400
        let parts = (hour: second / 3_600, minute: second / 60 % 60, second: second % 60)
        func two(_ value: Int64) -> String { (value < 10 ? "0" : "") + String(value) }
        let sign = offset < 0 ? "-" : "+"
        let zone = "\(sign)\(two(abs(offset) / 3_600)):\(two(abs(offset) / 60 % 60))"
        let half = parts.hour < 12 ? "am" : "pm"
        let clock = "\((parts.hour + 11) % 12 + 1):\(two(parts.minute)):\(two(parts.second)) \(half)"
        let monthName = ScheduleItem.months[Int(month) - 1]
        json = [
            "timestamp": .string(String(local.description.dropLast(4)) + zone),
            "Readable date": .string("\(monthName) \(dayOfMonth)\(ScheduleItem.ordinal(Int(dayOfMonth))) \(year), \(clock)"),
            "Readable time": .string(clock),
            "Day of week": .string(ScheduleItem.days[Int((day + 4) % 7 + 7) % 7]),
            "Year": .string(String(year)), "Month": .string(monthName), "Day of month": .string(two(dayOfMonth)),
            "Hour": .string(two(parts.hour)), "Minute": .string(two(parts.minute)), "Second": .string(two(parts.second)),
            "Timezone": .string("\(timeZone) (UTC\(zone))")
        ]
    }

    private static func ordinal(_ day: Int) -> String {
        if (11...13).contains(day) { return "th" }
        return [1: "st", 2: "nd", 3: "rd"][day % 10] ?? "th"
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}
