internal import Kernel
internal import Persistence
internal import Tenancy

/// Time sheets, and what they are invoiced for.
extension Billing {
    /// A new sheet of a booking.
    /// - Throws: `booking_not_accepted`, `too_many_sheets`, `out_of_range`
    func writeSheet(
        _ entries: [ConsultingEntry], for id: ConsultingBookingID, of seller: TenantID, by principal: Principal
    ) async throws -> ConsultingSheet {
        try await database.write(in: seller) { tx in
            guard let booking = try ConsultingStore(tx: tx.platform).booking(id), booking.seller == seller else { throw Refusal.missing("booking") }
            try booking.requireWork()
            let store = SheetStore(tx: tx.platform)
            let known = try store.sheets(of: id)
            guard known.count < ConsultingBooking.sheetsMaximum else {
                throw Refusal(.conflict, "too_many_sheets", "A booking has at most \(ConsultingBooking.sheetsMaximum) time sheets.")
            }
            var sheet = ConsultingSheet(id: tx.ids.next(), booking: id, number: (known.last?.number ?? 0) + 1, madeAt: tx.clock.now())
            try sheet.write(try ConsultingEntry.checked(entries, within: Self.days(of: booking, at: tx.clock.now())))
            try store.write(sheet)
            try tx.audit(principal, "consulting_sheet.write", "consulting_sheet:\(sheet.id)")
            return sheet
        }
    }

    /// From the day before it was booked to tomorrow, since days begin at other times elsewhere.
    private static func days(of booking: ConsultingBooking, at now: Timestamp) -> ClosedRange<Timestamp> {
        (booking.madeAt - .seconds(2 * 86_400))...(now + .seconds(86_400))
    }

    /// A sheet and its booking, for either side; a draft for the seller alone.
    func sheet(_ id: ConsultingSheetID, for tenant: TenantID) async throws -> (sheet: ConsultingSheet, booking: ConsultingBooking) {
        try await database.readPlatform { tx in
            guard let sheet = try SheetStore(tx: tx).sheet(id), let booking = try ConsultingStore(tx: tx).booking(sheet.booking),
                booking.seller == tenant || (booking.buyer == tenant && sheet.status != .draft)
            else { throw Refusal.missing("time sheet") }
            return (sheet, booking)
        }
    }

    /// Does something to a sheet as the side that may.
    private func changeSheet(
        _ id: ConsultingSheetID, asBuyer: Bool, _ tenant: TenantID, _ step: String, by principal: Principal,
        _ body: @escaping @Sendable (inout ConsultingSheet, inout ConsultingBooking, [ConsultingSheet], Timestamp) throws -> Void
    ) async throws -> ConsultingSheet {
        try await database.write(in: tenant) { tx in
            let (store, sheets) = (ConsultingStore(tx: tx.platform), SheetStore(tx: tx.platform))
            guard var sheet = try sheets.sheet(id), var booking = try store.booking(sheet.booking),
                (asBuyer ? booking.buyer : booking.seller) == tenant, !asBuyer || sheet.status != .draft
            else { throw Refusal.missing("time sheet") }
            let before = booking
            let others = try sheets.sheets(of: booking.id).filter { $0.id != id }
            try body(&sheet, &booking, others, tx.clock.now())
            if step == "write" { try sheets.write(sheet) } else { try sheets.save(sheet) }
            if booking != before { try store.update(booking) }
            try tx.audit(principal, "consulting_sheet.\(step)", "consulting_sheet:\(id)", ["minutes": .string(String(sheet.minutes))])
            if step != "write" { try tx.tell(step, booking, isForBuyer: !asBuyer) }
            return sheet
        }
    }

    func rewrite(
        _ id: ConsultingSheetID, _ entries: [ConsultingEntry], of seller: TenantID, by principal: Principal
    ) async throws -> ConsultingSheet {
        try await changeSheet(id, asBuyer: false, seller, "write", by: principal) { sheet, booking, _, now in
            try sheet.write(try ConsultingEntry.checked(entries, within: Self.days(of: booking, at: now)))
        }
    }

    /// - Throws: `booking_not_accepted`, `sheet_not_editable`, `exceeds_booking`
    func submit(_ id: ConsultingSheetID, of seller: TenantID, by principal: Principal) async throws -> ConsultingSheet {
        try await changeSheet(id, asBuyer: false, seller, "submitted", by: principal) { sheet, booking, others, now in
            // What was disputed before the work was completed may be put right after.
            if sheet.status == .draft { try booking.requireWork() }
            let taken = others.filter { ![.draft, .disputed].contains($0.status) }.reduce(0) { $0 + $1.minutes }
            try sheet.submit(free: booking.minutes - taken, approvalDays: booking.approvalDays, at: now)
        }
    }

    /// - Throws: `sheet_not_submitted`
    func approve(_ id: ConsultingSheetID, of buyer: TenantID, isAutomatic: Bool = false, by principal: Principal) async throws -> ConsultingSheet {
        try await changeSheet(id, asBuyer: true, buyer, "approved", by: principal) { sheet, booking, _, now in
            // A sheet that was disputed and submitted again has another day.
            guard !isAutomatic || (sheet.status == .submitted && sheet.dueAt.map { $0 <= now } == true) else {
                throw Refusal(.conflict, "sheet_not_submitted", "This time sheet does not wait to be approved.")
            }
            try sheet.approve(for: booking.price(of: sheet.minutes), isAutomatic: isAutomatic, at: now)
            booking.approvedMinutes += sheet.minutes
        }
    }

    /// - Throws: `sheet_not_submitted`
    func dispute(_ id: ConsultingSheetID, reason: String, of buyer: TenantID, by principal: Principal) async throws -> ConsultingSheet {
        try await changeSheet(id, asBuyer: true, buyer, "disputed", by: principal) { sheet, _, _, _ in try sheet.dispute(reason) }
    }

    /// The seller wants its approved sheets invoiced now.
    /// - Throws: `nothing_to_invoice`
    func invoiceSheets(_ id: ConsultingBookingID, of seller: TenantID, by principal: Principal) async throws -> [ConsultingSheet] {
        let (booking, _) = try await booking(id, for: seller)
        guard booking.seller == seller else { throw Refusal.missing("booking") }
        guard try await invoiceSheets(of: booking, by: principal) > 0 else {
            throw Refusal(.conflict, "nothing_to_invoice", "No approved time sheet waits for its invoice.")
        }
        return try await self.booking(id, for: seller).sheets
    }

    /// Invoices the approved sheets of a booking, a line for each.
    /// - Returns: how many.
    func invoiceSheets(of booking: ConsultingBooking, by principal: Principal) async throws -> Int {
        // Nothing of the buyer's is touched where there is nothing to do.
        let waits = try await database.readPlatform { tx in try SheetStore(tx: tx).sheets(of: booking.id).contains { $0.status == .approved } }
        guard waits else { return 0 }
        let count = try await atTill(of: booking.buyer) { till in try till.invoiceSheets(of: booking, by: principal) }
        try await giveOrders(of: booking.buyer)
        return count
    }

    /// Approves sheets whose days are over and invoices those that were approved a while ago; one that fails keeps no other from it.
    func moveSheetsOn() async throws {
        var failure: (any Error)?
        var last: SheetStore.Due?
        while !Task.isCancelled {
            let place = last
            let due = try await database.readPlatform { tx in
                try SheetStore(tx: tx).due(at: tx.clock.now(), after: place, limit: Self.sheetsAtOnce)
            }
            // Those that fail stay due.
            for sheet in due where !Task.isCancelled {
                do { try await moveOn(sheet) } catch let refusal as Refusal where refusal.kind == .conflict {
                    // Somebody was faster.
                } catch { failure = failure ?? error }
            }
            guard due.count == Self.sheetsAtOnce else { break }
            last = due.last
        }
        if let failure { throw failure }
    }

    private func moveOn(_ sheet: SheetStore.Due) async throws {
        guard let booking = try await database.readPlatform({ tx in try ConsultingStore(tx: tx).booking(sheet.booking) }) else { return }
        if sheet.status == .submitted {
            _ = try await approve(sheet.id, of: booking.buyer, isAutomatic: true, by: .system(in: booking.buyer))
        } else {
            _ = try await invoiceSheets(of: booking, by: .system(in: booking.buyer))
        }
    }

    private static let sheetsAtOnce = 200
}

extension Till {
    /// One invoice of what was approved; a seller that is not the platform gets its part of what is collected.
    mutating func invoiceSheets(of booking: ConsultingBooking, by principal: Principal) throws -> Int {
        let store = SheetStore(tx: tx.platform)
        let sheets = try store.sheets(of: booking.id).filter { $0.status == .approved }
        guard !sheets.isEmpty else { return 0 }
        let listing = "consulting:\(booking.offer)"
        let rate = Money(minorUnits: booking.rate, currency: booking.currency)
        let charges = sheets.map { sheet in
            let days = sheet.entries.compactMap(\.moment)
            let period = BillingPeriod(start: days.min() ?? now, end: days.max() ?? now)
            return Charge(
                kind: .plan, plan: subscription?.plan ?? .starter, period: period, amount: sheet.amount,
                item: ChargeItem(code: listing, name: sheet.lineName(of: booking.title, rate: rate)))
        }
        let invoice = try issue(charges, at: now, currency: booking.currency, isSubscribed: false)
        for (sheet, charge) in zip(sheets, charges) {
            var sheet = sheet
            (sheet.status, sheet.invoice, sheet.dueAt) = (.invoiced, invoice.id, nil)
            try store.save(sheet)
            guard booking.seller != Tenancy.platformLog else { continue }
            let order = SaleOrder(
                key: "consulting:\(sheet.id)", seller: booking.seller, listing: listing, kind: .consulting, name: charge.item?.name ?? booking.title,
                amount: Money(minorUnits: sheet.amount, currency: booking.currency))
            try note(order, on: invoice)
        }
        try settleShares(of: invoice)
        try tx.audit(principal, "consulting.invoice", "consulting_booking:\(booking.id)", ["invoice": .string(invoice.id.description)])
        try tx.tell("invoiced", booking, isForBuyer: false)
        return sheets.count
    }
}
