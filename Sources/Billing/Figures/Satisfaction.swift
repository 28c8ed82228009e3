internal import Kernel
internal import Persistence
internal import Tenancy

enum SatisfactionTag {}
typealias SatisfactionID = ID<SatisfactionTag>

/// What a member of a paying tenant answered to: how likely is it that you recommend us? Without a score it was put aside.
struct SatisfactionAnswer: Sendable, Hashable {
    var id: SatisfactionID
    var tenant: TenantID
    var person: UserID
    var at: Timestamp
    /// 0 to 10.
    var score: Int64?
    var comment: String

    static let scores: ClosedRange<Int64> = 0...10
    static let commentMaximum = 2_000
    /// Nobody is asked more often.
    static let pause: Duration = .seconds(90 * 86_400)
    /// How long somebody is a member before being asked: before that there is nothing to judge.
    static let acquaintance: Duration = .seconds(14 * 86_400)
}

/// The net promoter score: the share of promoters (9 and 10) less that of detractors (0 to 6), from -100 to 100. Source: F. F. Reichheld, "The One
/// Number You Need to Grow", Harvard Business Review, December 2003.
struct SatisfactionTally: Sendable, Hashable {
    var promoters = 0
    var passives = 0
    var detractors = 0
    var answers: Int { promoters + passives + detractors }
    /// Halves away from zero; nil without answers.
    var score: Int64? { answers > 0 ? Fraction.halfUp(Int64(promoters - detractors), 100, over: Int64(answers)) : nil }

    init(_ scores: some Sequence<Int64>) {
        for score in scores {
            switch score {
            case 9...: promoters += 1
            case 7...8: passives += 1
            default: detractors += 1
            }
        }
    }
}

struct SatisfactionStore {
    let tx: PlatformTransaction

    static let table = Table(
        "satisfaction_answers", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("owner", .uuid), Column("person", .uuid), Column("at", .timestamp), Column("score", .integer, optional: true),
            Column("comment", .text)
        ],
        indexes: [Index("satisfaction_answers_person", on: ["person", "at"]), Index("satisfaction_answers_at", on: ["at"])],
        checks: [.atLeast(column: "score", 0), .atMost(column: "score", 10)])

    func insert(_ new: SatisfactionAnswer) throws {
        try tx.execute(
            """
            INSERT INTO satisfaction_answers (id, owner, person, at, score, comment)
            VALUES (\(new.id), \(new.tenant), \(new.person), \(new.at), \(new.score), \(new.comment))
            """)
    }

    /// Whether the person, in whatever tenant, answered or put the question aside since a moment.
    func isAsked(_ person: UserID, since moment: Timestamp) throws -> Bool {
        try tx.first("SELECT id FROM satisfaction_answers WHERE person = \(person) AND at > \(moment) LIMIT 1") != nil
    }

    func scores(from start: Timestamp, to end: Timestamp) throws -> [Int64] {
        try tx.all("SELECT score FROM satisfaction_answers WHERE at >= \(start) AND at < \(end) AND score IS NOT NULL") { try $0.column(0) }
    }

    /// Those with a score, newest first.
    func page(before cursor: SatisfactionID?, limit: Int) throws -> [SatisfactionAnswer] {
        let last = cursor ?? SatisfactionID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, owner, person, at, score, comment FROM satisfaction_answers WHERE score IS NOT NULL AND id < \(last)
            ORDER BY id DESC LIMIT \(limit)
            """
        ) { row in
            SatisfactionAnswer(
                id: try row.column(0), tenant: try row.column(1), person: try row.column(2), at: try row.column(3), score: try row.column(4),
                comment: try row.column(5))
        }
    }
}

extension Billing {
    /// Whether somebody is to be asked now: who has been a member for two weeks of a tenant that pays, and was not asked for ninety days.
    func isQuestionDue(_ principal: Principal, in tenant: TenantID) async throws -> Bool {
        guard case .user(let person) = principal.actor, try await isAcquainted(principal, with: tenant) else { return false }
        return try await database.readPlatform { tx in try tx.isQuestionDue(person, in: tenant) }
    }

    /// - Parameter score: nil where the question was put aside.
    /// - Throws: `out_of_range`; `not_asked` where it is not due, as when it was answered in another window.
    func answer(_ score: Int64?, comment: String, in tenant: TenantID, by principal: Principal) async throws {
        guard score.map(SatisfactionAnswer.scores.contains) ?? true else {
            throw Refusal.invalid("score", "out_of_range", "score lies between 0 and 10.")
        }
        guard comment.utf8.count <= SatisfactionAnswer.commentMaximum else {
            throw Refusal.invalid("comment", "out_of_range", "comment has at most \(SatisfactionAnswer.commentMaximum) bytes.")
        }
        let refusal = Refusal(.conflict, "not_asked", "This question is not asked now.")
        guard case .user(let person) = principal.actor, try await isAcquainted(principal, with: tenant) else { throw refusal }
        try await database.writePlatform { tx in
            guard try tx.isQuestionDue(person, in: tenant) else { throw refusal }
            try SatisfactionStore(tx: tx).insert(
                SatisfactionAnswer(id: tx.ids.next(), tenant: tenant, person: person, at: tx.clock.now(), score: score, comment: comment))
        }
    }

    /// Whether a person themselves has been a member long enough.
    private func isAcquainted(_ principal: Principal, with tenant: TenantID) async throws -> Bool {
        guard case .user(let person) = principal.actor, principal.impersonation == nil else { return false }
        let latest = clock.now() - SatisfactionAnswer.acquaintance
        return try await tenancy.members(of: tenant).contains { $0.user == person && $0.createdAt <= latest }
    }
}

extension PlatformTransaction {
    fileprivate func isQuestionDue(_ person: UserID, in tenant: TenantID) throws -> Bool {
        guard try RevenueStore(tx: self).monthly(of: tenant) > 0 else { return false }
        return try !SatisfactionStore(tx: self).isAsked(person, since: clock.now() - SatisfactionAnswer.pause)
    }
}
