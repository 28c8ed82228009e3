internal import Kernel

/// A link that was followed, kept by the visitor's own browser and only where the visitor agreed: the last one counts. Nothing about the visitor is
/// in it, and it cannot be read by scripts.
enum ReferralCookie {
    static let name = "aias_referral"
    private static let lifetime = 365 * 86_400

    static func set(_ code: String, at now: Timestamp, isSecure: Bool) -> String {
        "\(name)=\(code).\(now.seconds); Path=/; HttpOnly; SameSite=Lax; Max-Age=\(lifetime)\(isSecure ? "; Secure" : "")"
    }

    static func read(_ value: String?) -> (code: String, at: Timestamp)? {
        // Whoever sends it may have written it: a number of seconds beyond all years would overflow.
        guard let parts = value?.split(separator: "."), parts.count == 2, let seconds = Int64(parts[1]), (0...253_402_300_799).contains(seconds),
            let code = try? Coupon.checkedCode(String(parts[0]))
        else { return nil }
        return (code, Timestamp(seconds: seconds))
    }
}
