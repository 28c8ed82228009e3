/// For how long a tenant's writes that come several at a time wait for each other, so that they share a commit: until as many have come as lately
/// came at most, and not longer than an interval after the group before began.
///
/// Callers that each wait for their answer before they write again come all at once and then nobody comes: their group goes when the last of them is
/// there. Where writes come one by one by chance, there is seldom as many as at most, and the interval bounds how many commits there are.
struct GroupPace {
    /// From the begin of a group to that of the next at most, for a pause.
    static let interval: Duration = .milliseconds(4)
    /// Members with which a group does not wait for more.
    static let crowd = 16
    /// How much of what came at most is remembered after another group.
    private static let memory = 0.97

    private let begun: ContinuousClock.Instant
    private let most: Double

    /// - Parameter count: members of the group that begins.
    /// - Returns: nil where it has but one: the tenant's writes do not come several at a time.
    init?(group count: Int, beginning now: ContinuousClock.Instant, after last: GroupPace?) {
        guard count > 1 else { return nil }
        begun = now
        most = max(Double(count), (last?.most ?? 0) * Self.memory)
    }

    /// Members with which the next group goes at once.
    var wanted: Int { min(Self.crowd, Int(most.rounded(.up))) }

    /// What is left of the interval; nil where it is over.
    func pause(at now: ContinuousClock.Instant) -> Duration? {
        let left = begun + Self.interval - now
        return left > .zero ? left : nil
    }
}
