internal import Kernel
internal import Tenancy

enum ConsultingSheetTag {}
typealias ConsultingSheetID = ID<ConsultingSheetTag>

/// What was done on a day.
struct ConsultingEntry: Sendable, Hashable, Codable {
    /// `2026-01-31`.
    var day: String
    var minutes: Int64
    var what: String

    static let maximum = 100
    static let dayMinutesMaximum: Int64 = 1_440

    /// - Parameter days: those that may be named.
    static func checked(_ entries: [ConsultingEntry], within days: ClosedRange<Timestamp>) throws -> [ConsultingEntry] {
        guard (1...maximum).contains(entries.count) else {
            throw Refusal.invalid("entries", "out_of_range", "A time sheet has 1 to \(maximum) entries.")
        }
        var sums: [String: Int64] = [:]
        for (place, entry) in entries.enumerated() {
            let field = "entries[\(place)]"
            try ServiceBounds.check(entry.minutes, "\(field).minutes", 1...dayMinutesMaximum)
            try ServiceBounds.check(entry.what, "\(field).what", 1...500)
            guard let moment = entry.moment, days.contains(moment) else {
                throw Refusal.invalid(
                    "\(field).day", "out_of_range",
                    "day lies between \(days.lowerBound.description.prefix(10)) and \(days.upperBound.description.prefix(10)), as 2026-01-31.")
            }
            sums[entry.day, default: 0] += entry.minutes
            guard sums[entry.day, default: 0] <= dayMinutesMaximum else {
                throw Refusal.invalid("\(field).minutes", "out_of_range", "The entries of \(entry.day) are more than a day.")
            }
        }
        return entries
    }

    /// Its beginning; nil where there is no such day.
    var moment: Timestamp? {
        guard let moment = Timestamp("\(day)T00:00:00Z"), moment.description.prefix(10) == day else { return nil }
        return moment
    }
}

/// A sheet of hours of a booking.
struct ConsultingSheet: Sendable, Hashable {
    enum Status: String, Sendable, Hashable, Codable, CaseIterable { case draft, submitted, disputed, approved, invoiced }

    var id: ConsultingSheetID
    var booking: ConsultingBookingID
    /// From 1 within its booking.
    var number: Int64
    var status: Status = .draft
    var minutes: Int64 = 0
    /// Fixed when it is approved, without tax.
    var amount: Int64 = 0
    /// Why it was disputed.
    var reason = ""
    /// Approved by time alone.
    var isAutomatic = false
    /// When the next step is made by itself: submitted, it is approved; approved, it is invoiced.
    var dueAt: Timestamp?
    var invoice: InvoiceID?
    var madeAt: Timestamp
    var entries: [ConsultingEntry] = []

    var isEditable: Bool { status == .draft || status == .disputed }
    /// Days from a sheet's approval until it is invoiced by itself.
    static let invoicingDelay: Duration = .seconds(7 * 86_400)

    /// - Throws: `sheet_not_editable`
    mutating func write(_ new: [ConsultingEntry]) throws {
        guard isEditable else { throw Refusal(.conflict, "sheet_not_editable", "What was submitted is changed only after it was disputed.") }
        entries = new
        minutes = new.reduce(0) { $0 + $1.minutes }
    }

    /// - Parameter free: minutes of the booking that no other sheet has taken.
    /// - Throws: `sheet_not_editable`, `exceeds_booking`
    mutating func submit(free: Int64, approvalDays: Int64, at now: Timestamp) throws {
        guard isEditable, minutes > 0 else { throw Refusal(.conflict, "sheet_not_editable", "This time sheet was submitted already.") }
        guard minutes <= free else {
            throw Refusal(
                .conflict, "exceeds_booking", "Of what was booked \(max(free, 0)) minutes are left; ask the customer for more first.",
                field: "minutes")
        }
        (status, reason, dueAt) = (.submitted, "", now + .seconds(approvalDays * 86_400))
    }

    /// - Throws: `sheet_not_submitted`
    mutating func approve(for amount: Int64, isAutomatic: Bool, at now: Timestamp) throws {
        guard status == .submitted else { throw Refusal(.conflict, "sheet_not_submitted", "This time sheet does not wait to be approved.") }
        self.amount = amount
        self.isAutomatic = isAutomatic
        (status, dueAt) = (.approved, now + Self.invoicingDelay)
    }

    /// - Throws: `sheet_not_submitted`
    mutating func dispute(_ why: String) throws {
        guard status == .submitted else { throw Refusal(.conflict, "sheet_not_submitted", "This time sheet does not wait to be approved.") }
        try ServiceBounds.check(why, "reason", ServiceBounds.reason)
        (status, reason, dueAt) = (.disputed, why, nil)
    }

    /// As its line is called on the invoice.
    func lineName(of title: String, rate: Money) -> String {
        "\(title), sheet \(number): \(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60) h at \(rate.decimalText) \(rate.currency)"
    }
}
