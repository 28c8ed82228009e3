internal import Foundation
internal import Kernel

/// Texts of requests read as values, each with a refusal that lists what is possible.
extension Tenancy {
    static func planName(_ text: String) throws -> PlanName {
        guard let plan = PlanName(rawValue: text) else {
            throw Refusal.invalid("plan", "unknown_plan", "plan is one of \(PlanName.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return plan
    }

    static func status(_ text: String) throws -> Tenant.Status {
        guard let status = Tenant.Status(rawValue: text) else {
            throw Refusal.invalid("status", "unknown_status", "status is one of active, suspended.")
        }
        return status
    }

    static func role(_ text: String) throws -> Role {
        guard let role = Role(rawValue: text) else {
            throw Refusal.invalid("role", "unknown_role", "role is one of \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return role
    }

    static func checkedZone(_ name: String) throws -> String {
        guard name == "UTC" || TimeZone(identifier: name) != nil, !name.contains("..") else {
            throw Refusal.invalid("time_zone", "unknown_time_zone", "\(name) is no IANA time zone; one looks like Europe/Berlin.")
        }
        return name
    }

    /// Features are kept in one text, parted by spaces.
    static func checkedFeature(_ name: String) throws -> String {
        let isPlain = name.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95 }
        guard (1...64).contains(name.utf8.count), isPlain else {
            throw Refusal.invalid("features", "bad_feature", "A feature is named by a-z, 0-9 and underscores, such as white_label.")
        }
        return name
    }

    /// Nothing may be below zero, and a tenant that may send no request at all is a suspended one.
    static func checked(_ limits: PlanLimits) throws -> PlanLimits {
        let counts = [limits.workflows, limits.executionsPerMonth, limits.storageBytes, limits.users]
        guard counts.allSatisfy({ $0 ?? 0 >= 0 }), limits.requestsPerSecond ?? 1 >= 1,
            RunKeeping.days.contains(limits.runDays ?? RunKeeping.days.lowerBound)
        else {
            throw Refusal.invalid(
                "limits", "bad_limits",
                "Limits are 0 or more, requests a second 1 or more, days of executions 2 or more; leave out what is unlimited.")
        }
        return limits
    }
}
