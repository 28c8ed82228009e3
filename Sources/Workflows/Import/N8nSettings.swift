internal import Kernel

/// n8n's workflow settings, as far as ours express them. Anything but `"v1"` is the legacy order, absent included.
enum N8nSettings {
    static func read(_ raw: JSONObject) -> WorkflowSettings {
        let zone = raw["timezone"]?.text
        let timeout = raw["executionTimeout"]?.integer
        return WorkflowSettings(
            order: raw["executionOrder"]?.text == "v1" ? .n8nV1 : .n8nV0, timeZone: zone == "DEFAULT" || zone == "" ? nil : zone,
            errorWorkflow: raw["errorWorkflow"]?.text.flatMap { $0.isEmpty ? nil : $0 },
            timeoutSeconds: timeout.flatMap { Limits.runTimeoutSeconds.contains($0) ? $0 : nil })
    }

    /// Settings without a counterpart here, and the values with which they ask for what is done anyway.
    private static let strange: [(name: String, usual: [JSON])] = [
        ("callerPolicy", ["any", "workflowsFromSameOwner", "DEFAULT"]), ("saveDataErrorExecution", ["all", "DEFAULT"]),
        ("saveDataSuccessExecution", ["all", "DEFAULT"]), ("saveManualExecutions", [true, "DEFAULT"]), ("redactionPolicy", ["none"])
    ]

    /// What of the settings asks for something that is not done here, such as `saveDataSuccessExecution: none`.
    static func leftOut(_ raw: JSONObject) -> [String] {
        var found: [String] = []
        for (name, usual) in strange {
            guard let value = raw[name], !value.isNull, !usual.contains(value) else { continue }
            found.append("\(name): \(value.displayText)")
        }
        if let seconds = raw["executionTimeout"]?.double, seconds > 0, read(raw).timeoutSeconds == nil {
            found.append("executionTimeout: \(JSON.numberText(seconds))")
        }
        return found
    }

    /// Writes what differs into the settings as n8n wrote them.
    static func write(_ settings: WorkflowSettings, into raw: inout JSONObject) {
        let before = read(raw)
        if before.order != settings.order { raw["executionOrder"] = settings.order == .n8nV0 ? "v0" : "v1" }
        if before.timeZone != settings.timeZone { raw["timezone"] = settings.timeZone.map { .string($0) } }
        if before.errorWorkflow != settings.errorWorkflow { raw["errorWorkflow"] = settings.errorWorkflow.map { .string($0) } }
        if before.timeoutSeconds != settings.timeoutSeconds { raw["executionTimeout"] = settings.timeoutSeconds.map { .number(Double($0)) } }
    }
}
