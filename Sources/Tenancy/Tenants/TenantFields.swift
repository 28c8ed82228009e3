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
}
