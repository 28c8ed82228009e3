internal import Kernel
internal import Tenancy

enum ConsultingBookingTag {}
typealias ConsultingBookingID = ID<ConsultingBookingTag>

/// Hours that a tenant has asked for, on the offer's terms of that time. Its methods refuse what does not follow from where it stands.
struct ConsultingBooking: Sendable, Hashable {
    enum Status: String, Sendable, Hashable, Codable, CaseIterable { case asked, accepted, declined, withdrawn, completed }

    var id: ConsultingBookingID
    var offer: ConsultingOfferID
    var seller: TenantID
    var buyer: TenantID
    var title: String
    var currency: String
    var rate: Int64
    var approvalDays: Int64
    /// What was agreed: nothing beyond it is ever approved.
    var minutes: Int64
    /// When the work is wished for, in the buyer's words.
    var wished: String
    var note: String
    var status: Status = .asked
    /// Why it was declined.
    var reason = ""
    /// What the seller asks for beyond what was agreed; 0 where it asks for nothing.
    var moreMinutes: Int64 = 0
    var moreReason = ""
    /// Of the sheets that the buyer agreed to.
    var approvedMinutes: Int64 = 0
    var madeAt: Timestamp

    static let minutesMaximum: Int64 = 60_000
    static let sheetsMaximum = 100
    /// Of a tenant that nobody has answered.
    static let askedMaximum = 50

    private func require(_ wanted: Status, _ code: String, _ text: String) throws {
        guard status == wanted else { throw Refusal(.conflict, code, text) }
    }

    /// - Throws: `booking_decided`
    mutating func accept() throws {
        try require(.asked, "booking_decided", "This booking was accepted, declined or withdrawn already.")
        status = .accepted
    }

    mutating func decline(_ why: String) throws {
        try require(.asked, "booking_decided", "This booking was accepted, declined or withdrawn already.")
        try ServiceBounds.check(why, "reason", ServiceBounds.reason)
        (status, reason) = (.declined, why)
    }

    mutating func withdraw() throws {
        try require(.asked, "booking_decided", "This booking was accepted, declined or withdrawn already.")
        status = .withdrawn
    }

    /// - Throws: `booking_not_accepted`
    func requireWork() throws { try require(.accepted, "booking_not_accepted", "Only a booking that is accepted and not completed is worked on.") }

    /// Asks the buyer for more than was agreed. The latest wish counts.
    mutating func ask(_ more: Int64, _ why: String) throws {
        try requireWork()
        guard minutes < Self.minutesMaximum else {
            throw Refusal.invalid("minutes", "out_of_range", "A booking has at most \(Self.minutesMaximum) minutes.")
        }
        try ServiceBounds.check(more, "minutes", 1...(Self.minutesMaximum - minutes))
        try ServiceBounds.check(why, "reason", ServiceBounds.reason)
        (moreMinutes, moreReason) = (more, why)
    }

    /// - Parameter more: what the buyer has seen; another wish may have come since.
    /// - Throws: `nothing_asked`
    mutating func answer(_ more: Int64, isAgreed: Bool) throws {
        try requireWork()
        guard moreMinutes > 0, moreMinutes == more else {
            throw Refusal(.conflict, "nothing_asked", "So many more minutes are not asked for.", field: "minutes")
        }
        if isAgreed { minutes += moreMinutes }
        (moreMinutes, moreReason) = (0, "")
    }

    mutating func complete() throws {
        try requireWork()
        (status, moreMinutes, moreReason) = (.completed, 0, "")
    }

    /// The price of so many minutes more than were approved: what the price of all of them grows by, halves up, so that the sheets of a booking add
    /// up to the price of its hours.
    func price(of more: Int64) -> Int64 {
        Fraction.halfUp(rate, approvedMinutes + more, over: 60) - Fraction.halfUp(rate, approvedMinutes, over: 60)
    }
}
