internal import Kernel

extension StepContext {
    /// Until when a step waits for somebody: the limit that the node sets, or as long as anything waits.
    /// - Parameter prefix: of the parameters' path, `options.limitWaitTime.values.` where they stand in an option.
    func waitLimit(_ prefix: String = "", isLimited: Bool? = nil) async throws -> Timestamp {
        let flagged: Bool = if let isLimited { isLimited } else { try await flag(prefix + "limitWaitTime") }
        guard flagged else { return now + .microseconds(Int64(KindLimits.waitSeconds * 1_000_000)) }
        if try await text(prefix + "limitType", default: "afterTimeInterval") == "atSpecifiedTime" {
            let value = try await self.value(prefix + "maxDateAndTime") ?? .null
            guard let time = LooseTime.parse(value, timeZone: timeZone) else {
                throw StepFailure.invalid(prefix + "maxDateAndTime", "'\(value.displayText)' is no time.")
            }
            return time
        }
        return now + (try await interval(prefix + "resumeAmount", prefix + "resumeUnit", amount: 1, unit: "hours"))
    }

    /// - Throws: `invalid_parameter` for a unit that is none, or an amount that is no wait.
    func interval(_ amountPath: String, _ unitPath: String, amount fallback: Double, unit fallbackUnit: String) async throws -> Duration {
        let amount = try await number(amountPath) ?? fallback
        let seconds: [String: Double] = ["milliseconds": 0.001, "seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400]
        let unit = try await text(unitPath, default: fallbackUnit)
        guard let scale = seconds[unit] else { throw StepFailure.invalid(unitPath, "'\(unit)' is no unit of time.") }
        guard amount >= 0, amount * scale <= KindLimits.waitSeconds else {
            throw StepFailure.invalid(amountPath, "The wait must lie between 0 and \(Int(KindLimits.waitSeconds / 86_400)) days.")
        }
        return .microseconds(Int64(amount * scale * 1_000_000))
    }
}
