internal import Persistence

/// Two tenants have a part in each row: who works and who pays.
enum ConsultingTables {
    static let offers = Table(
        "consulting_offers", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("seller", .uuid), Column("title", .text), Column("about", .text), Column("currency", .text),
            Column("rate", .integer), Column("minimum_minutes", .integer), Column("approval_days", .integer), Column("is_open", .boolean),
            Column("made_at", .timestamp)
        ],
        indexes: [Index("consulting_offers_seller", on: ["seller", "id"])],
        checks: [
            .atLeast(column: "rate", ConsultingOffer.rates.lowerBound), .atMost(column: "rate", ConsultingOffer.rates.upperBound),
            .atLeast(column: "minimum_minutes", 1), .atLeast(column: "approval_days", 1)
        ])

    static let bookings = Table(
        "consulting_bookings", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("offer_id", .uuid), Column("seller", .uuid), Column("buyer", .uuid), Column("title", .text),
            Column("currency", .text), Column("rate", .integer), Column("approval_days", .integer), Column("minutes", .integer),
            Column("wished", .text), Column("note", .text), Column("status", .text), Column("reason", .text), Column("more_minutes", .integer),
            Column("more_reason", .text), Column("approved_minutes", .integer), Column("made_at", .timestamp)
        ],
        indexes: [Index("consulting_bookings_seller", on: ["seller", "id"]), Index("consulting_bookings_buyer", on: ["buyer", "id"])],
        checks: [
            .oneOf(column: "status", values: ConsultingBooking.Status.allCases.map(\.rawValue)), .atLeast(column: "minutes", 1),
            .atMost(column: "minutes", ConsultingBooking.minutesMaximum), .atLeast(column: "more_minutes", 0),
            .atLeast(column: "approved_minutes", 0), .notAbove(left: "approved_minutes", right: "minutes")
        ])

    static let sheets = Table(
        "consulting_sheets", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("booking_id", .uuid), Column("number", .integer), Column("status", .text), Column("minutes", .integer),
            Column("amount", .integer), Column("reason", .text), Column("is_automatic", .boolean), Column("due_at", .timestamp, optional: true),
            Column("invoice_id", .uuid, optional: true), Column("made_at", .timestamp)
        ],
        indexes: [
            Index("consulting_sheets_number", on: ["booking_id", "number"], unique: true),
            Index("consulting_sheets_due", on: ["due_at"], where: .isNotNull("due_at"))
        ],
        checks: [
            .oneOf(column: "status", values: ConsultingSheet.Status.allCases.map(\.rawValue)), .atLeast(column: "minutes", 0),
            .atLeast(column: "amount", 0)
        ])

    static let entries = Table(
        "consulting_entries", .platform, primaryKey: ["sheet_id", "place"],
        columns: [
            Column("sheet_id", .uuid), Column("place", .integer), Column("day", .text), Column("minutes", .integer), Column("what", .text)
        ], checks: [.atLeast(column: "minutes", 1), .atMost(column: "minutes", ConsultingEntry.dayMinutesMaximum)])

    static let all = [offers, bookings, sheets, entries]
}
