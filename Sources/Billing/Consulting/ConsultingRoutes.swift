internal import HTTPSurface
internal import Kernel
internal import Tenancy

struct ConsultingRoutes {
    let billing: Billing

    private static let tag = "Consulting"
    private static let decided = ErrorDeclaration(.conflict, "booking_decided", "It was accepted, declined or withdrawn already.")
    private static let notWaiting = ErrorDeclaration(.conflict, "sheet_not_submitted", "It does not wait to be approved.")
    private static let notEditable = ErrorDeclaration(.conflict, "sheet_not_editable", "It was submitted and not disputed.")

    var endpoints: [Endpoint] {
        bought
            + sold("/v1", tag: Self.tag, read: .tenant(.servicesRead), write: .tenant(.servicesWrite)) { $0.tenant }
            + sold("/v1/platform", tag: "Operator", read: .platformOperator, write: .platformOperator) { _ in Tenancy.platformLog }
    }

    /// What a customer does.
    private var bought: [Endpoint] {
        let (read, write) = (Access.tenant(.servicesRead), Access.tenant(.billingWrite))
        return [
            Endpoint.list(
                "/v1/consulting-market", access: read, summary: "List the consulting that can be booked, newest first", tag: Self.tag,
                of: ConsultingOfferView.self
            ) { call, page in
                let cursor: ConsultingOfferID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.openOffers(before: cursor, limit: page.limit + 1)
                return Page(rows.map(ConsultingOfferView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/consulting-market/{id}", access: read, summary: "Show an offer of consulting", tag: Self.tag,
                returns: .ok(ConsultingOfferView.self)
            ) { call in ConsultingOfferView(try await billing.offer(try call.id("id", noun: "offer"), for: call.tenant)) },
            Endpoint(
                .post, "/v1/consulting-bookings", access: write, summary: "Book hours of an offer", tag: Self.tag,
                body: ConsultingBookingBody.self, returns: .created(ConsultingBookingView.self),
                errors: [
                    ErrorDeclaration(
                        .conflict, "own_offer",
                        "It is the tenant's own offer, its rate is another than was seen, it is a sandbox, or there is no billing profile yet.")
                ]
            ) { call, body in
                ConsultingBookingView(
                    try await billing.book(
                        body.offerId, minutes: Int64(body.minutes), wished: body.wished ?? "", note: body.note ?? "", for: call.tenant,
                        seen: body.seen, by: call.principal))
            },
            Endpoint.list(
                "/v1/consulting-bookings", access: read, summary: "List what the tenant has booked, newest first", tag: Self.tag,
                of: ConsultingBookingView.self
            ) { call, page in
                let cursor: ConsultingBookingID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.bookings(by: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map { ConsultingBookingView($0) }, limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/consulting-bookings/{id}", access: read, summary: "Show a booking with its time sheets", tag: Self.tag,
                returns: .ok(ConsultingBookingView.self)
            ) { call in
                let found = try await billing.booking(try call.id("id", noun: "booking"), for: call.tenant)
                return ConsultingBookingView(found.booking, found.sheets)
            },
            Endpoint(
                .post, "/v1/consulting-bookings/{id}/withdrawal", access: write, summary: "Withdraw a booking that nobody has accepted",
                tag: Self.tag,
                returns: .ok(ConsultingBookingView.self), errors: [Self.decided]
            ) { call in
                ConsultingBookingView(try await billing.withdraw(try call.id("id", noun: "booking"), of: call.tenant, by: call.principal))
            },
            Endpoint(
                .post, "/v1/consulting-bookings/{id}/extension-decision", access: write, summary: "Agree to more hours, or not", tag: Self.tag,
                body: ConsultingAnswerBody.self, returns: .ok(ConsultingBookingView.self),
                errors: [ErrorDeclaration(.conflict, "nothing_asked", "So many more minutes are not asked for.")]
            ) { call, body in
                ConsultingBookingView(
                    try await billing.answer(
                        try call.id("id", noun: "booking"), minutes: Int64(body.minutes), isAgreed: body.isAgreed, of: call.tenant, by: call.principal
                    )
                )
            },
            Endpoint(
                .post, "/v1/consulting-sheets/{id}/approval", access: write, summary: "Approve a time sheet", tag: Self.tag,
                returns: .ok(ConsultingSheetView.self), errors: [Self.notWaiting]
            ) { call in
                let sheet = try await billing.approve(try call.id("id", noun: "time sheet"), of: call.tenant, by: call.principal)
                return try await view(sheet, call.tenant)
            },
            Endpoint(
                .post, "/v1/consulting-sheets/{id}/dispute", access: write, summary: "Dispute a time sheet", tag: Self.tag,
                body: ConsultingDisputeBody.self, returns: .ok(ConsultingSheetView.self), errors: [Self.notWaiting]
            ) { call, body in
                let sheet = try await billing.dispute(
                    try call.id("id", noun: "time sheet"), reason: body.reason, of: call.tenant, by: call.principal)
                return try await view(sheet, call.tenant)
            }
        ]
    }

    private func view(_ sheet: ConsultingSheet, _ tenant: TenantID) async throws -> ConsultingSheetView {
        let found = try await billing.sheet(sheet.id, for: tenant)
        return ConsultingSheetView(found.sheet, of: found.booking)
    }

    /// What who works does: a tenant, or the operator for the platform.
    private func sold(
        _ prefix: String, tag: String, read: Access, write: Access, _ side: @escaping @Sendable (EndpointCall) -> TenantID
    ) -> [Endpoint] {
        [
            Endpoint.list(
                "\(prefix)/consulting-offers", access: read, summary: "List one's own offers of consulting, newest first", tag: tag,
                of: ConsultingOfferView.self
            ) { call, page in
                let cursor: ConsultingOfferID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.offers(of: side(call), before: cursor, limit: page.limit + 1)
                return Page(rows.map(ConsultingOfferView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "\(prefix)/consulting-offers", access: write, summary: "Offer consulting by the hour", tag: tag,
                body: ConsultingOfferBody.self, returns: .created(ConsultingOfferView.self),
                errors: [ErrorDeclaration(.conflict, "payee_required", "Nobody said yet how the seller is paid.")]
            ) { call, body in
                let seller = side(call)
                return ConsultingOfferView(
                    try await billing.saveOffer(nil, of: seller, by: call.principal) { id, now in try body.offer(id, of: seller, at: now) })
            },
            Endpoint(
                .put, "\(prefix)/consulting-offers/{id}", access: write, summary: "Change an offer; bookings keep their terms", tag: tag,
                body: ConsultingOfferBody.self, returns: .ok(ConsultingOfferView.self)
            ) { call, body in
                let seller = side(call)
                return ConsultingOfferView(
                    try await billing.saveOffer(try call.id("id", noun: "offer"), of: seller, by: call.principal) { id, made in
                        try body.offer(id, of: seller, at: made)
                    })
            },
            Endpoint(
                .post, "\(prefix)/consulting-offers/{id}/closure", access: write, summary: "Let nobody book an offer any more", tag: tag,
                returns: .ok(ConsultingOfferView.self)
            ) { call in
                ConsultingOfferView(try await billing.closeOffer(try call.id("id", noun: "offer"), of: side(call), by: call.principal))
            }
        ] + worked(prefix, tag: tag, read: read, write: write, side)
    }

    private func worked(
        _ prefix: String, tag: String, read: Access, write: Access, _ side: @escaping @Sendable (EndpointCall) -> TenantID
    ) -> [Endpoint] {
        let notAccepted = ErrorDeclaration(.conflict, "booking_not_accepted", "It is not accepted, or completed.")
        return [
            Endpoint.list(
                "\(prefix)/consulting-orders", access: read, summary: "List what others have booked here, newest first", tag: tag,
                of: ConsultingBookingView.self
            ) { call, page in
                let cursor: ConsultingBookingID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.orders(of: side(call), before: cursor, limit: page.limit + 1)
                return Page(rows.map { ConsultingBookingView($0) }, limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "\(prefix)/consulting-orders/{id}", access: read, summary: "Show an order with its time sheets, drafts too", tag: tag,
                returns: .ok(ConsultingBookingView.self)
            ) { call in try await order(call, side(call)) },
            Endpoint(
                .post, "\(prefix)/consulting-orders/{id}/decision", access: write, summary: "Accept an order, or decline it", tag: tag,
                body: ConsultingDecisionBody.self, returns: .ok(ConsultingBookingView.self), errors: [Self.decided]
            ) { call, body in
                ConsultingBookingView(
                    try await billing.decide(
                        try call.id("id", noun: "booking"), isAccepted: body.isAccepted, reason: body.reason ?? "", of: side(call),
                        by: call.principal))
            },
            Endpoint(
                .post, "\(prefix)/consulting-orders/{id}/extensions", access: write, summary: "Ask for more hours than were booked", tag: tag,
                body: ConsultingExtensionBody.self, returns: .ok(ConsultingBookingView.self), errors: [notAccepted]
            ) { call, body in
                ConsultingBookingView(
                    try await billing.ask(
                        try call.id("id", noun: "booking"), minutes: Int64(body.minutes), reason: body.reason, of: side(call), by: call.principal))
            },
            Endpoint(
                .post, "\(prefix)/consulting-orders/{id}/sheets", access: write, summary: "Begin a time sheet", tag: tag,
                body: ConsultingSheetBody.self, returns: .created(ConsultingSheetView.self), errors: [notAccepted]
            ) { call, body in
                let seller = side(call)
                let sheet = try await billing.writeSheet(
                    body.checked, for: try call.id("id", noun: "booking"), of: seller, by: call.principal)
                return try await view(sheet, seller)
            },
            Endpoint(
                .put, "\(prefix)/consulting-sheets/{id}", access: write, summary: "Write a time sheet anew", tag: tag, body: ConsultingSheetBody.self,
                returns: .ok(ConsultingSheetView.self), errors: [Self.notEditable]
            ) { call, body in
                let seller = side(call)
                let sheet = try await billing.rewrite(try call.id("id", noun: "time sheet"), body.checked, of: seller, by: call.principal)
                return try await view(sheet, seller)
            },
            Endpoint(
                .post, "\(prefix)/consulting-sheets/{id}/submission", access: write, summary: "Submit a time sheet to the customer", tag: tag,
                returns: .ok(ConsultingSheetView.self),
                errors: [Self.notEditable, ErrorDeclaration(.conflict, "exceeds_booking", "It is more than what is left of the booking.")]
            ) { call in
                let seller = side(call)
                let sheet = try await billing.submit(try call.id("id", noun: "time sheet"), of: seller, by: call.principal)
                return try await view(sheet, seller)
            },
            Endpoint(
                .post, "\(prefix)/consulting-orders/{id}/invoices", access: write, summary: "Invoice the approved time sheets", tag: tag,
                returns: .ok(ConsultingBookingView.self),
                errors: [ErrorDeclaration(.conflict, "nothing_to_invoice", "No approved time sheet waits for its invoice.")]
            ) { call in
                _ = try await billing.invoiceSheets(try call.id("id", noun: "booking"), of: side(call), by: call.principal)
                return try await order(call, side(call))
            },
            Endpoint(
                .post, "\(prefix)/consulting-orders/{id}/completion", access: write, summary: "Complete an order", tag: tag,
                returns: .ok(ConsultingBookingView.self), errors: [notAccepted]
            ) { call in
                _ = try await billing.complete(try call.id("id", noun: "booking"), of: side(call), by: call.principal)
                return try await order(call, side(call))
            }
        ]
    }

    private func order(_ call: EndpointCall, _ seller: TenantID) async throws -> ConsultingBookingView {
        let found = try await billing.booking(try call.id("id", noun: "booking"), for: seller)
        guard found.booking.seller == seller else { throw Refusal.missing("booking") }
        return ConsultingBookingView(found.booking, found.sheets)
    }
}
