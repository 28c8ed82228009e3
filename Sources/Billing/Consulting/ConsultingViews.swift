internal import HTTPSurface
internal import Kernel
internal import Tenancy

struct ConsultingOfferBody: Codable, Sendable, Described {
    var title: String
    var about: String?
    var rate: Int?
    var currency: String?
    var minimumMinutes: Int?
    var approvalDays: Int?
    static let notes: [FieldNote] = [
        FieldNote("title", "As it stands on the invoice.", example: "Workflow review", length: 1...200),
        FieldNote("about", "For who may book.", length: 0...4_000),
        FieldNote("rate", "For an hour, without tax, in the minor unit; 20000 where it is left out.", example: 25_000, range: 1_000...1_000_000),
        FieldNote("currency", "USD where it is left out.", length: 3...3),
        FieldNote("minimumMinutes", "What is booked at least; 60 where it is left out.", range: 15...6_000),
        FieldNote("approvalDays", "A time sheet counts as approved so many days after it was submitted; 7 where it is left out.", range: 1...60)
    ]

    func offer(_ id: ConsultingOfferID, of seller: TenantID, at now: Timestamp) throws -> ConsultingOffer {
        ConsultingOffer(
            id: id, seller: seller, title: title, about: about ?? "", currency: try AmountBounds.checkedCurrency(currency ?? "USD"),
            rate: rate.map { Int64($0) } ?? ConsultingOffer.usualRate, minimumMinutes: Int64(minimumMinutes ?? 60),
            approvalDays: approvalDays.map { Int64($0) } ?? ConsultingOffer.usualApprovalDays, isOpen: true, madeAt: now)
    }
}

struct ConsultingOfferView: Codable, Sendable, Described {
    var id: ConsultingOfferID
    var seller: TenantID?
    var title: String
    var about: String
    var rate: Int
    var currency: String
    var minimumMinutes: Int
    var approvalDays: Int
    var isOpen: Bool
    static let typeDescription: String? = "Work by the hour that can be booked."
    static let notes: [FieldNote] = [
        FieldNote("seller", "Who works; the platform itself where it is left out."), FieldNote("rate", "For an hour, without tax.")
    ]

    init(_ offer: ConsultingOffer) {
        (id, seller, title, about) = (offer.id, offer.seller.unlessPlatform, offer.title, offer.about)
        (rate, currency, minimumMinutes) = (Int(offer.rate), offer.currency, Int(offer.minimumMinutes))
        (approvalDays, isOpen) = (Int(offer.approvalDays), offer.isOpen)
    }
}

struct ConsultingBookingBody: Codable, Sendable, Described {
    var offerId: ConsultingOfferID
    var minutes: Int
    var wished: String?
    var note: String?
    var rate: Int?
    var currency: String?
    static let notes: [FieldNote] = [
        FieldNote("minutes", "How much is booked: nothing beyond it is charged unless more is agreed.", example: 240, range: 1...60_000),
        FieldNote("wished", "When the work is wished for, in your words.", example: "Tuesday or Thursday afternoon", length: 0...500),
        FieldNote("note", "What it is about.", length: 0...4_000),
        FieldNote("rate", "As it was seen: where it is another by now nothing is booked.", example: 25_000, range: 0...1e15),
        FieldNote("currency", "Of rate; USD where it is left out.", length: 3...3)
    ]

    var seen: Money? { rate.map { Money(minorUnits: Int64($0), currency: currency ?? "USD") } }
}

struct ConsultingBookingView: Codable, Sendable, Described {
    var id: ConsultingBookingID
    var offerId: ConsultingOfferID
    var seller: TenantID?
    var buyer: TenantID
    var title: String
    var rate: Int
    var currency: String
    var minutes: Int
    var approvedMinutes: Int
    var wished: String
    var note: String
    var status: String
    var reason: String
    var moreMinutes: Int
    var moreReason: String
    var madeAt: Timestamp
    var sheets: [ConsultingSheetView]
    static let typeDescription: String? = "Hours that a tenant has asked for, on the offer's terms of that time."
    static let notes: [FieldNote] = [
        FieldNote("status", "asked, accepted, declined, withdrawn or completed."),
        FieldNote("moreMinutes", "What the seller asks for beyond it; 0 for none."),
        FieldNote("sheets", "Empty in lists; drafts are the seller's alone.")
    ]

    init(_ booking: ConsultingBooking, _ sheets: [ConsultingSheet] = []) {
        (id, offerId, seller, buyer) = (booking.id, booking.offer, booking.seller.unlessPlatform, booking.buyer)
        (title, rate, currency) = (booking.title, Int(booking.rate), booking.currency)
        (minutes, approvedMinutes, wished, note) = (Int(booking.minutes), Int(booking.approvedMinutes), booking.wished, booking.note)
        (status, reason, madeAt) = (booking.status.rawValue, booking.reason, booking.madeAt)
        (moreMinutes, moreReason) = (Int(booking.moreMinutes), booking.moreReason)
        self.sheets = sheets.map { ConsultingSheetView($0, of: booking) }
    }
}

struct ConsultingEntryBody: Codable, Sendable, Described {
    var day: String
    var minutes: Int
    var what: String
    static let notes: [FieldNote] = [
        FieldNote("day", "As 2026-01-31.", example: "2026-01-31", length: 10...10),
        FieldNote("minutes", "At most a day's.", example: 90, range: 1...1_440),
        FieldNote("what", "What was done.", example: "Reviewed the lead routing", length: 1...500)
    ]
}

struct ConsultingSheetBody: Codable, Sendable, Described {
    var entries: [ConsultingEntryBody]
    static let notes: [FieldNote] = [FieldNote("entries", "All of them; they replace those that are there.", items: 1...100)]

    var checked: [ConsultingEntry] { entries.map { ConsultingEntry(day: $0.day, minutes: Int64($0.minutes), what: $0.what) } }
}

struct ConsultingSheetView: Codable, Sendable, Described {
    var id: ConsultingSheetID
    var bookingId: ConsultingBookingID
    var number: Int
    var status: String
    var minutes: Int
    var amount: Int
    var reason: String
    var isAutomatic: Bool
    var dueAt: Timestamp?
    var invoiceId: InvoiceID?
    var entries: [ConsultingEntryBody]
    static let typeDescription: String? = "What was done on a booking."
    static let notes: [FieldNote] = [
        FieldNote("status", "draft, submitted, disputed, approved or invoiced."),
        FieldNote("amount", "Without tax, in the minor unit; before it is approved what it would come to."),
        FieldNote("isAutomatic", "Approved since nobody disputed it in time."),
        FieldNote("dueAt", "When it is approved by itself, or invoiced by itself.")
    ]

    init(_ sheet: ConsultingSheet, of booking: ConsultingBooking) {
        (id, bookingId, number, status) = (sheet.id, sheet.booking, Int(sheet.number), sheet.status.rawValue)
        (minutes, amount) = (Int(sheet.minutes), Int(sheet.amount > 0 ? sheet.amount : booking.price(of: sheet.minutes)))
        (reason, isAutomatic, dueAt, invoiceId) = (sheet.reason, sheet.isAutomatic, sheet.dueAt, sheet.invoice)
        entries = sheet.entries.map { ConsultingEntryBody(day: $0.day, minutes: Int($0.minutes), what: $0.what) }
    }
}

struct ConsultingDecisionBody: Codable, Sendable, Described {
    var isAccepted: Bool
    var reason: String?
    static let notes: [FieldNote] = [FieldNote("reason", "Needed where it is declined.", length: 0...1_000)]
}

struct ConsultingExtensionBody: Codable, Sendable, Described {
    var minutes: Int
    var reason: String
    static let notes: [FieldNote] = [
        FieldNote("minutes", "Beyond what was booked.", example: 60, range: 1...60_000), FieldNote("reason", "Why it is needed.", length: 1...1_000)
    ]
}

struct ConsultingAnswerBody: Codable, Sendable, Described {
    var minutes: Int
    var isAgreed: Bool
    static let notes: [FieldNote] = [FieldNote("minutes", "What was asked for.", example: 60, range: 1...60_000)]
}

struct ConsultingDisputeBody: Codable, Sendable, Described {
    var reason: String
    static let notes: [FieldNote] = [FieldNote("reason", "What is wrong with it.", example: "Monday was cancelled.", length: 1...1_000)]
}

extension TenantID {
    /// Nil for the platform's own id.
    var unlessPlatform: TenantID? { self == Tenancy.platformLog ? nil : self }
}
