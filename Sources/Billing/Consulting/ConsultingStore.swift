internal import Kernel
internal import Persistence

struct ConsultingStore {
    let tx: PlatformTransaction

    // MARK: Offers

    func save(_ offer: ConsultingOffer) throws {
        try tx.execute(
            """
            INSERT INTO consulting_offers (id, seller, title, about, currency, rate, minimum_minutes, approval_days, is_open, made_at)
            VALUES (\(offer.id), \(offer.seller), \(offer.title), \(offer.about), \(offer.currency), \(offer.rate), \(offer.minimumMinutes),
                \(offer.approvalDays), \(offer.isOpen), \(offer.madeAt))
            ON CONFLICT (id) DO UPDATE SET title = excluded.title, about = excluded.about, currency = excluded.currency, rate = excluded.rate,
                minimum_minutes = excluded.minimum_minutes, approval_days = excluded.approval_days, is_open = excluded.is_open
            """)
    }

    func offer(_ id: ConsultingOfferID) throws -> ConsultingOffer? {
        try tx.first(
            """
            SELECT id, seller, title, about, currency, rate, minimum_minutes, approval_days, is_open, made_at FROM consulting_offers WHERE id = \(id)
            """, Self.offer)
    }

    /// Those that can be booked, newest first.
    func openOffers(before cursor: ConsultingOfferID?, limit: Int) throws -> [ConsultingOffer] {
        let last = cursor ?? ConsultingOfferID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, seller, title, about, currency, rate, minimum_minutes, approval_days, is_open, made_at FROM consulting_offers
            WHERE is_open = \(true) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.offer)
    }

    /// Newest first, closed ones too.
    func offers(of seller: TenantID, before cursor: ConsultingOfferID?, limit: Int) throws -> [ConsultingOffer] {
        let last = cursor ?? ConsultingOfferID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, seller, title, about, currency, rate, minimum_minutes, approval_days, is_open, made_at FROM consulting_offers
            WHERE seller = \(seller) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.offer)
    }

    private static func offer(_ row: Row) throws -> ConsultingOffer {
        ConsultingOffer(
            id: try row.column(0), seller: try row.column(1), title: try row.column(2), about: try row.column(3), currency: try row.column(4),
            rate: try row.column(5), minimumMinutes: try row.column(6), approvalDays: try row.column(7), isOpen: try row.column(8),
            madeAt: try row.column(9))
    }

    // MARK: Bookings

    func insert(_ new: ConsultingBooking) throws {
        try tx.execute(
            """
            INSERT INTO consulting_bookings (id, offer_id, seller, buyer, title, currency, rate, approval_days, minutes, wished, note, status,
                reason, more_minutes, more_reason, approved_minutes, made_at)
            VALUES (\(new.id), \(new.offer), \(new.seller), \(new.buyer), \(new.title), \(new.currency), \(new.rate), \(new.approvalDays),
                \(new.minutes), \(new.wished), \(new.note), \(new.status), \(new.reason), \(new.moreMinutes), \(new.moreReason),
                \(new.approvedMinutes), \(new.madeAt))
            """)
    }

    func update(_ booking: ConsultingBooking) throws {
        try tx.execute(
            """
            UPDATE consulting_bookings SET minutes = \(booking.minutes), status = \(booking.status), reason = \(booking.reason),
                more_minutes = \(booking.moreMinutes), more_reason = \(booking.moreReason), approved_minutes = \(booking.approvedMinutes)
            WHERE id = \(booking.id)
            """)
    }

    func booking(_ id: ConsultingBookingID) throws -> ConsultingBooking? {
        try tx.first(
            """
            SELECT id, offer_id, seller, buyer, title, currency, rate, approval_days, minutes, wished, note, status, reason, more_minutes,
                more_reason, approved_minutes, made_at FROM consulting_bookings WHERE id = \(id)
            """, Self.booking)
    }

    /// What a tenant has booked, newest first.
    func bookings(by buyer: TenantID, before cursor: ConsultingBookingID?, limit: Int) throws -> [ConsultingBooking] {
        let last = cursor ?? ConsultingBookingID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, offer_id, seller, buyer, title, currency, rate, approval_days, minutes, wished, note, status, reason, more_minutes,
                more_reason, approved_minutes, made_at
            FROM consulting_bookings WHERE buyer = \(buyer) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.booking)
    }

    /// How many of a tenant's bookings wait for an answer.
    func askedCount(by buyer: TenantID) throws -> Int {
        try tx.first("SELECT COUNT(*) FROM consulting_bookings WHERE buyer = \(buyer) AND status = \(ConsultingBooking.Status.asked)") {
            try $0.column(0)
        } ?? 0
    }

    /// What was booked with a seller, newest first.
    func orders(of seller: TenantID, before cursor: ConsultingBookingID?, limit: Int) throws -> [ConsultingBooking] {
        let last = cursor ?? ConsultingBookingID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, offer_id, seller, buyer, title, currency, rate, approval_days, minutes, wished, note, status, reason, more_minutes,
                more_reason, approved_minutes, made_at
            FROM consulting_bookings WHERE seller = \(seller) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.booking)
    }

    private static func booking(_ row: Row) throws -> ConsultingBooking {
        ConsultingBooking(
            id: try row.column(0), offer: try row.column(1), seller: try row.column(2), buyer: try row.column(3), title: try row.column(4),
            currency: try row.column(5), rate: try row.column(6), approvalDays: try row.column(7), minutes: try row.column(8),
            wished: try row.column(9), note: try row.column(10), status: try row.column(11), reason: try row.column(12),
            moreMinutes: try row.column(13), moreReason: try row.column(14), approvedMinutes: try row.column(15), madeAt: try row.column(16))
    }
}

/// Time sheets and their entries.
struct SheetStore {
    let tx: PlatformTransaction

    func save(_ sheet: ConsultingSheet) throws {
        try tx.execute(
            """
            INSERT INTO consulting_sheets (id, booking_id, number, status, minutes, amount, reason, is_automatic, due_at, invoice_id, made_at)
            VALUES (\(sheet.id), \(sheet.booking), \(sheet.number), \(sheet.status), \(sheet.minutes), \(sheet.amount), \(sheet.reason),
                \(sheet.isAutomatic), \(sheet.dueAt), \(sheet.invoice), \(sheet.madeAt))
            ON CONFLICT (id) DO UPDATE SET status = excluded.status, minutes = excluded.minutes, amount = excluded.amount, reason = excluded.reason,
                is_automatic = excluded.is_automatic, due_at = excluded.due_at, invoice_id = excluded.invoice_id
            """)
    }

    func write(_ sheet: ConsultingSheet) throws {
        try save(sheet)
        try tx.execute("DELETE FROM consulting_entries WHERE sheet_id = \(sheet.id)")
        for (place, entry) in sheet.entries.enumerated() {
            try tx.execute(
                """
                INSERT INTO consulting_entries (sheet_id, place, day, minutes, what)
                VALUES (\(sheet.id), \(place), \(entry.day), \(entry.minutes), \(entry.what))
                """)
        }
    }

    func sheet(_ id: ConsultingSheetID) throws -> ConsultingSheet? {
        let found = try tx.first(
            """
            SELECT id, booking_id, number, status, minutes, amount, reason, is_automatic, due_at, invoice_id, made_at FROM consulting_sheets
            WHERE id = \(id)
            """, Self.sheet)
        return try found.map(filled)
    }

    /// In their order, with their entries; never more than a booking may have.
    func sheets(of booking: ConsultingBookingID) throws -> [ConsultingSheet] {
        try tx.all(
            """
            SELECT id, booking_id, number, status, minutes, amount, reason, is_automatic, due_at, invoice_id, made_at FROM consulting_sheets
            WHERE booking_id = \(booking) ORDER BY number LIMIT \(ConsultingBooking.sheetsMaximum)
            """, Self.sheet
        ).map(filled)
    }

    /// A sheet whose next step is made by itself.
    struct Due: Sendable {
        var at: Timestamp
        var id: ConsultingSheetID
        var booking: ConsultingBookingID
        var status: ConsultingSheet.Status
    }

    /// Those whose day has come, earliest first, from after a place.
    func due(at now: Timestamp, after last: Due?, limit: Int) throws -> [Due] {
        let (time, id) = (last?.at ?? Timestamp(microseconds: 0), last?.id ?? ConsultingSheetID(high: 0, low: 0))
        return try tx.all(
            """
            SELECT due_at, id, booking_id, status FROM consulting_sheets
            WHERE due_at <= \(now) AND due_at >= \(time) AND (due_at > \(time) OR id > \(id)) ORDER BY due_at, id LIMIT \(limit)
            """
        ) { row in Due(at: try row.column(0), id: try row.column(1), booking: try row.column(2), status: try row.column(3)) }
    }

    private func filled(_ sheet: ConsultingSheet) throws -> ConsultingSheet {
        var sheet = sheet
        sheet.entries = try tx.all("SELECT day, minutes, what FROM consulting_entries WHERE sheet_id = \(sheet.id) ORDER BY place") {
            ConsultingEntry(day: try $0.column(0), minutes: try $0.column(1), what: try $0.column(2))
        }
        return sheet
    }

    private static func sheet(_ row: Row) throws -> ConsultingSheet {
        ConsultingSheet(
            id: try row.column(0), booking: try row.column(1), number: try row.column(2), status: try row.column(3), minutes: try row.column(4),
            amount: try row.column(5), reason: try row.column(6), isAutomatic: try row.column(7), dueAt: try row.column(8),
            invoice: try row.column(9), madeAt: try row.column(10))
    }
}

extension ConsultingBooking.Status: SQLBindable, SQLReadable {}
extension ConsultingSheet.Status: SQLBindable, SQLReadable {}
