internal import Kernel
internal import Persistence
internal import Tenancy

/// What the other side of a booking hears: `{booking, title, step, sheet?, side}`; side is `buyer` or `seller`, whose page shows it.
struct ConsultingStep: Event {
    static let name = "billing.consulting.changed"
    static let version = 1
    let booking: ConsultingBooking
    /// asked, accepted, declined, withdrawn, more_asked, more_agreed, more_refused, submitted, approved, disputed, invoiced or completed.
    let step: String
    let isForBuyer: Bool

    var subject: String { "consulting_booking:\(booking.id)" }
    var payload: JSON {
        [
            "booking": .string(booking.id.description), "title": .string(booking.title), "step": .string(step),
            "side": .string(isForBuyer ? "buyer" : "seller")
        ]
    }
}

extension TenantTransaction {
    /// Tells a side of a booking, also one that is another tenant.
    func tell(_ step: String, _ booking: ConsultingBooking, isForBuyer: Bool) throws {
        let told = isForBuyer ? booking.buyer : booking.seller
        let here = tenant.id
        guard told != Tenancy.platformLog else { return }
        try platform.tenant(told).emit(ConsultingStep(booking: booking, step: step, isForBuyer: isForBuyer))
        _ = try platform.tenant(here)
    }
}

extension Billing {
    // MARK: Offers

    func openOffers(before cursor: ConsultingOfferID?, limit: Int) async throws -> [ConsultingOffer] {
        try await database.readPlatform { tx in try ConsultingStore(tx: tx).openOffers(before: cursor, limit: limit) }
    }

    func offers(of seller: TenantID, before cursor: ConsultingOfferID?, limit: Int) async throws -> [ConsultingOffer] {
        try await database.readPlatform { tx in try ConsultingStore(tx: tx).offers(of: seller, before: cursor, limit: limit) }
    }

    /// One that is open, or the seller's own.
    func offer(_ id: ConsultingOfferID, for tenant: TenantID) async throws -> ConsultingOffer {
        let found = try await database.readPlatform { tx in try ConsultingStore(tx: tx).offer(id) }
        guard let found, found.isOpen || found.seller == tenant else { throw Refusal.missing("offer") }
        return found
    }

    /// Makes an offer, or changes one of the seller's own; bookings keep the terms that they were made on.
    /// - Parameter id: nil for a new one.
    /// - Throws: `payee_required`, `too_many_offers`, `out_of_range`, `unknown_currency`
    func saveOffer(
        _ id: ConsultingOfferID?, of seller: TenantID, by principal: Principal,
        _ make: @escaping @Sendable (ConsultingOfferID, Timestamp) throws -> ConsultingOffer
    ) async throws -> ConsultingOffer {
        try await database.write(in: seller) { tx in
            let store = ConsultingStore(tx: tx.platform)
            let known = try id.map { id in
                guard let known = try store.offer(id), known.seller == seller else { throw Refusal.missing("offer") }
                return known
            }
            if seller != Tenancy.platformLog, try PayeeStore(tx: tx.platform).payee(seller) == nil {
                throw Refusal(.conflict, "payee_required", "Say first how you are paid, under Earnings.")
            }
            guard try known != nil || store.offers(of: seller, before: nil, limit: ConsultingOffer.maximum).count < ConsultingOffer.maximum else {
                throw Refusal(.conflict, "too_many_offers", "There are at most \(ConsultingOffer.maximum) offers of one seller.")
            }
            let offer = try make(known?.id ?? tx.ids.next(), known?.madeAt ?? tx.clock.now()).checked()
            try store.save(offer)
            try tx.audit(principal, "consulting_offer.save", "consulting_offer:\(offer.id)", ["rate": .string(String(offer.rate))])
            return offer
        }
    }

    /// Nobody books it any more; what was booked goes on.
    func closeOffer(_ id: ConsultingOfferID, of seller: TenantID, by principal: Principal) async throws -> ConsultingOffer {
        try await database.write(in: seller) { tx in
            let store = ConsultingStore(tx: tx.platform)
            guard var offer = try store.offer(id), offer.seller == seller else { throw Refusal.missing("offer") }
            offer.isOpen = false
            try store.save(offer)
            try tx.audit(principal, "consulting_offer.close", "consulting_offer:\(id)")
            return offer
        }
    }

    // MARK: Bookings

    /// - Parameter seen: the price of an hour that the buyer agreed to.
    /// - Throws: `own_offer`, `offer_closed`, `below_minimum`, `profile_required`, `sandbox`, `too_many_bookings`, `out_of_range`, `price_changed`
    func book(
        _ id: ConsultingOfferID, minutes: Int64, wished: String, note: String, for buyer: TenantID, seen: Money? = nil, by principal: Principal
    ) async throws -> ConsultingBooking {
        try ServiceBounds.check(minutes, "minutes", 1...ConsultingBooking.minutesMaximum)
        try ServiceBounds.check(wished, "wished", 0...500)
        try ServiceBounds.check(note, "note", ServiceBounds.note)
        return try await database.write(in: buyer) { tx in
            let store = ConsultingStore(tx: tx.platform)
            guard let offer = try store.offer(id), offer.isOpen || offer.seller == buyer else { throw Refusal.missing("offer") }
            guard offer.seller != buyer else { throw Refusal(.conflict, "own_offer", "Nobody books with themselves.") }
            guard minutes >= offer.minimumMinutes else {
                throw Refusal.invalid("minutes", "below_minimum", "At least \(offer.minimumMinutes) minutes are booked here.")
            }
            try ServiceBounds.check(Money(minorUnits: offer.rate, currency: offer.currency), seen: seen)
            let profiles = BillingProfileStore(tx: tx)
            guard try !profiles.hasClock() else { throw Refusal(.conflict, "sandbox", "A sandbox books nothing: its time is not others'.") }
            guard try profiles.profile() != nil else {
                throw Refusal(.conflict, "profile_required", "Say first who is to be invoiced: name, address and country.")
            }
            guard try store.askedCount(by: buyer) < ConsultingBooking.askedMaximum else {
                throw Refusal(.conflict, "too_many_bookings", "At most \(ConsultingBooking.askedMaximum) bookings wait for an answer at a time.")
            }
            let booking = ConsultingBooking(
                id: tx.ids.next(), offer: offer.id, seller: offer.seller, buyer: buyer, title: offer.title, currency: offer.currency,
                rate: offer.rate, approvalDays: offer.approvalDays, minutes: minutes, wished: wished, note: note, madeAt: tx.clock.now())
            try store.insert(booking)
            try tx.audit(principal, "consulting.book", "consulting_booking:\(booking.id)", ["minutes": .string(String(minutes))])
            try tx.tell("asked", booking, isForBuyer: false)
            return booking
        }
    }

    func bookings(by buyer: TenantID, before cursor: ConsultingBookingID?, limit: Int) async throws -> [ConsultingBooking] {
        try await database.readPlatform { tx in try ConsultingStore(tx: tx).bookings(by: buyer, before: cursor, limit: limit) }
    }

    func orders(of seller: TenantID, before cursor: ConsultingBookingID?, limit: Int) async throws -> [ConsultingBooking] {
        try await database.readPlatform { tx in try ConsultingStore(tx: tx).orders(of: seller, before: cursor, limit: limit) }
    }

    /// For either side of it. The buyer does not see sheets that were never submitted.
    func booking(_ id: ConsultingBookingID, for tenant: TenantID) async throws -> (booking: ConsultingBooking, sheets: [ConsultingSheet]) {
        try await database.readPlatform { tx in
            guard let booking = try ConsultingStore(tx: tx).booking(id), booking.buyer == tenant || booking.seller == tenant else {
                throw Refusal.missing("booking")
            }
            let sheets = try SheetStore(tx: tx).sheets(of: id)
            return (booking, booking.seller == tenant ? sheets : sheets.filter { $0.status != .draft })
        }
    }

    /// Does something to a booking as the side that may; the other side is told.
    private func change(
        _ id: ConsultingBookingID, asBuyer: Bool, _ tenant: TenantID, _ step: String, by principal: Principal, details: JSON = [:],
        _ body: @escaping @Sendable (inout ConsultingBooking) throws -> Void
    ) async throws -> ConsultingBooking {
        try await database.write(in: tenant) { tx in
            let store = ConsultingStore(tx: tx.platform)
            guard var booking = try store.booking(id), (asBuyer ? booking.buyer : booking.seller) == tenant else {
                throw Refusal.missing("booking")
            }
            try body(&booking)
            try store.update(booking)
            try tx.audit(principal, "consulting.\(step)", "consulting_booking:\(id)", details)
            try tx.tell(step, booking, isForBuyer: !asBuyer)
            return booking
        }
    }

    /// The seller accepts, or declines with a reason.
    func decide(
        _ id: ConsultingBookingID, isAccepted: Bool, reason: String, of seller: TenantID, by principal: Principal
    ) async throws -> ConsultingBooking {
        try await change(id, asBuyer: false, seller, isAccepted ? "accepted" : "declined", by: principal) { booking in
            if isAccepted { try booking.accept() } else { try booking.decline(reason) }
        }
    }

    /// The buyer takes back what nobody has accepted.
    func withdraw(_ id: ConsultingBookingID, of buyer: TenantID, by principal: Principal) async throws -> ConsultingBooking {
        try await change(id, asBuyer: true, buyer, "withdrawn", by: principal) { try $0.withdraw() }
    }

    /// The seller asks for more than was booked.
    func ask(
        _ id: ConsultingBookingID, minutes: Int64, reason: String, of seller: TenantID, by principal: Principal
    ) async throws -> ConsultingBooking {
        try await change(id, asBuyer: false, seller, "more_asked", by: principal, details: ["minutes": .string(String(minutes))]) {
            try $0.ask(minutes, reason)
        }
    }

    /// The buyer agrees to more, or not.
    func answer(
        _ id: ConsultingBookingID, minutes: Int64, isAgreed: Bool, of buyer: TenantID, by principal: Principal
    ) async throws -> ConsultingBooking {
        try await change(
            id, asBuyer: true, buyer, isAgreed ? "more_agreed" : "more_refused", by: principal, details: ["minutes": .string(String(minutes))]
        ) { try $0.answer(minutes, isAgreed: isAgreed) }
    }

    /// The work is done: what was approved is invoiced. Sheets that wait for the buyer are still approved or disputed.
    func complete(_ id: ConsultingBookingID, of seller: TenantID, by principal: Principal) async throws -> ConsultingBooking {
        let booking = try await change(id, asBuyer: false, seller, "completed", by: principal) { try $0.complete() }
        _ = try await invoiceSheets(of: booking, by: principal)
        return booking
    }
}
