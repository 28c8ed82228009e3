internal import Kernel

/// For how many days a tenant keeps its runs after their end; nil is as long as the plan and the deployment allow.
package struct RunKeeping: Sendable, Hashable {
    package var succeededDays: Int?
    /// Of all that did not succeed.
    package var failedDays: Int?

    /// The books of a day are held against its runs on the next one.
    package static let days = 2...36_500

    package init(succeededDays: Int? = nil, failedDays: Int? = nil) {
        self.succeededDays = succeededDays
        self.failedDays = failedDays
    }

    /// How old runs get: the least of what the tenant wants, its plan allows and the deployment allows; nil where none of them says anything.
    package struct Ages: Sendable, Hashable {
        package var succeeded: Duration?
        package var failed: Duration?
    }
}

extension Tenant {
    /// - Parameter deployment: what the operator of the deployment keeps at most.
    package func runAges(atMost deployment: Duration?) -> RunKeeping.Ages {
        func age(_ own: Int?) -> Duration? {
            ([own, limits.runDays].map { days in days.map { Duration.seconds($0 * 86_400) } } + [deployment]).compactMap { $0 }.min()
        }
        return RunKeeping.Ages(succeeded: age(runKeeping.succeededDays), failed: age(runKeeping.failedDays))
    }
}

extension Tenancy {
    /// - Parameter days: 0 is as long as the plan and the deployment allow.
    /// - Throws: `bad_days`, `beyond_plan`
    static func keptDays(_ days: Int, field: String, limits: PlanLimits) throws -> Int? {
        guard days != 0 else { return nil }
        guard RunKeeping.days.contains(days) else {
            throw Refusal.invalid(field, "bad_days", "Executions are kept for 2 to 36,500 days, or as long as the plan allows: 0.")
        }
        if let most = limits.runDays, days > most {
            throw Refusal.invalid(
                field, "beyond_plan", "The plan keeps executions for \(most) days at most; take fewer, or change to a larger plan.")
        }
        return days
    }
}
