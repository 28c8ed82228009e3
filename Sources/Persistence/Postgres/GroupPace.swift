internal import Dispatch

/// For how many of its writes a tenant's next commit waits, where they come several at a time: for as many as lately came at most.
///
/// Callers that each wait for their answer before they write again come all at once and then nobody comes: their group goes when the last of them is
/// there. Where writes come one by one by chance, there are seldom as many as at most, and the pause bounds how many commits there are, also where
/// commits have become slow.
struct GroupPace {
    /// How long a group waits at most.
    static let pause: DispatchTimeInterval = .milliseconds(2)
    /// Members with which a group does not wait for more.
    static let crowd = 16
    /// How much of what came at most is remembered after another group.
    private static let memory = 0.97

    private let most: Double

    /// - Parameter count: members of the group that begins.
    /// - Returns: nil where it has but one: the tenant's writes do not come several at a time.
    init?(group count: Int, after last: GroupPace?) {
        guard count > 1 else { return nil }
        most = max(Double(count), (last?.most ?? 0) * Self.memory)
    }

    /// Members with which the next group goes at once.
    var wanted: Int { min(Self.crowd, Int(most.rounded(.up))) }
}
