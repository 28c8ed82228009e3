internal import Kernel
internal import Persistence
internal import Tenancy

/// A course as one person stands in it.
struct Learning: Sendable {
    var enrolment: Enrolment
    var course: Course
    var access: Enrolment.Access
    var lessons: [Lesson]
    var done: Set<LessonID>
    var attempts: [Attempt]
    var certificate: Certificate?

    var lessonsDone: Int { lessons.count { done.contains($0.id) } }
    var hasReadAll: Bool { lessonsDone == lessons.count }

    /// - Throws: `course_unpaid`
    func requireAccess() throws {
        guard access == .open else {
            throw Refusal(.conflict, "course_unpaid", "The course can be gone on with when its invoice is paid.")
        }
    }
}

extension TenantTransaction {
    /// - Throws: `missing` for one that is not this tenant's.
    func learning(_ id: EnrolmentID) throws -> Learning {
        let (store, courses) = (EnrolmentStore(tx: self), CourseStore(tx: platform))
        guard let enrolment = try store.enrolment(id), let course = try courses.course(enrolment.course),
            let invoice = try InvoiceStore(tx: self).invoice(enrolment.invoice)
        else { throw Refusal.missing("enrolment") }
        return Learning(
            enrolment: enrolment, course: course, access: Enrolment.access(invoice, isDisputed: try store.isDisputed(invoice.id)),
            lessons: try courses.lessons(of: course.id), done: try store.done(in: id), attempts: try store.attempts(of: id),
            certificate: try CertificateStore(tx: platform).certificate(of: id, tenant.id))
    }
}

extension Enrolment {
    /// A person learns for themselves; a key of the tenant acts for whoever it is given to.
    /// - Throws: `not_the_learner`
    func requireLearner(_ principal: Principal) throws {
        switch principal.actor {
        case .user(let user) where user == learner && principal.impersonation == nil: return
        case .apiKey, .system: return
        default: throw Refusal(.forbidden, "not_the_learner", "Only the person who was enrolled goes on with this course.")
        }
    }
}

extension Till {
    /// Buys a course for a person; what it costs is invoiced at once.
    /// - Throws: `already_enrolled`, and as `sell`
    mutating func enrol(_ learner: UserID, name: String, in course: Course) throws -> Enrolment {
        let store = EnrolmentStore(tx: tx)
        guard try store.current(course.id, learner) == nil else {
            throw Refusal(.conflict, "already_enrolled", "This person has the course already.")
        }
        guard course.author != tx.tenant.id else { throw Refusal(.conflict, "own_listing", "A seller does not buy from itself.") }
        guard try !BillingProfileStore(tx: tx).hasClock() else {
            throw Refusal(.conflict, "sandbox", "A sandbox buys nothing of others: its time is not theirs.")
        }
        let id: EnrolmentID = tx.ids.next()
        let listing = "course:\(course.id)"
        let invoice: InvoiceID
        if course.author == Tenancy.platformLog {
            let charge = Charge(
                kind: .plan, plan: subscription?.plan ?? .starter, period: BillingPeriod(start: now, end: now), amount: course.price,
                item: ChargeItem(code: listing, name: course.title))
            invoice = try issue([charge], at: now, currency: course.currency, isSubscribed: false).id
        } else {
            let order = SaleOrder(
                key: "enrolment:\(id)", seller: course.author, listing: listing, kind: .course, name: course.title,
                amount: Money(minorUnits: course.price, currency: course.currency))
            invoice = try sell(order).invoice
        }
        let enrolment = Enrolment(id: id, course: course.id, learner: learner, learnerName: name, invoice: invoice, boughtAt: tx.clock.now())
        try store.insert(enrolment)
        return enrolment
    }

    /// Brings what somebody has of a course to what is paid of its invoice: a refund of all ends it, and takes the certificate back.
    func settleEnrolments(of invoice: Invoice) throws {
        let store = EnrolmentStore(tx: tx)
        for enrolment in try store.enrolments(on: invoice.id) {
            let access = Enrolment.access(invoice, isDisputed: try store.isDisputed(invoice.id))
            if access == .refunded, enrolment.endedAt == nil { try store.end(enrolment.id, at: tx.clock.now()) }
            let certificates = CertificateStore(tx: tx.platform)
            guard var certificate = try certificates.certificate(of: enrolment.id, tx.tenant.id) else { continue }
            let before = certificate
            certificate.settle(access, at: tx.clock.now())
            if certificate != before { try certificates.update(certificate) }
        }
    }
}

extension Billing {
    /// - Parameters:
    ///   - learner: a member; who asks where it is nil.
    ///   - seen: the price that the buyer agreed to.
    /// - Throws: `learner_required`, `unknown_learner`, `already_enrolled`, `own_listing`, `profile_required`, `sandbox`, `price_changed`
    func enrol(
        _ learner: UserID?, name: String, in id: CourseID, of tenant: TenantID, seen: Money? = nil, by principal: Principal
    ) async throws -> Enrolment {
        try ServiceBounds.check(name, "learner_name", 1...200)
        var asked = learner
        if asked == nil, case .user(let user) = principal.actor { asked = user }
        guard let person = asked else { throw Refusal.invalid("learner_id", "learner_required", "Say which member is to learn.") }
        guard try await tenancy.members(of: tenant).contains(where: { $0.user == person }) else {
            throw Refusal.invalid("learner_id", "unknown_learner", "There is no such member.")
        }
        let enrolment = try await atTill(of: tenant) { till in
            guard let course = try CourseStore(tx: till.tx.platform).course(id), course.status == .published else { throw Refusal.missing("course") }
            try ServiceBounds.check(Money(minorUnits: course.price, currency: course.currency), seen: seen)
            let enrolment = try till.enrol(person, name: name, in: course)
            try till.tx.audit(principal, "course.buy", "course:\(id)", ["learner": .string(person.description)])
            return enrolment
        }
        try await giveOrders(of: tenant)
        return enrolment
    }

    func enrolments(of tenant: TenantID, before cursor: EnrolmentID?, limit: Int) async throws -> [Learning] {
        try await database.read(in: tenant) { tx in
            try EnrolmentStore(tx: tx).page(before: cursor, limit: limit).map { try tx.learning($0.id) }
        }
    }

    func learning(_ id: EnrolmentID, of tenant: TenantID) async throws -> Learning {
        try await database.read(in: tenant) { tx in try tx.learning(id) }
    }

    /// - Throws: `not_the_learner`, `course_unpaid`
    func lesson(_ id: LessonID, of enrolment: EnrolmentID, in tenant: TenantID, by principal: Principal) async throws -> (Lesson, Learning) {
        let learning = try await learning(enrolment, of: tenant)
        try learning.enrolment.requireLearner(principal)
        guard let lesson = learning.lessons.first(where: { $0.id == id }) else { throw Refusal.missing("lesson") }
        try learning.requireAccess()
        return (lesson, learning)
    }

    /// Notes that a lesson was gone through; again it changes nothing.
    func finish(_ id: LessonID, of enrolment: EnrolmentID, in tenant: TenantID, by principal: Principal) async throws -> Learning {
        try await database.write(in: tenant) { tx in
            let learning = try tx.learning(enrolment)
            try learning.enrolment.requireLearner(principal)
            guard learning.lessons.contains(where: { $0.id == id }) else { throw Refusal.missing("lesson") }
            try learning.requireAccess()
            try EnrolmentStore(tx: tx).note(id, in: enrolment)
            return try tx.learning(enrolment)
        }
    }

    /// Begins an attempt at the exam; one that has begun and was not handed in is gone on with.
    /// - Throws: `not_the_learner`, `course_unpaid`, `lessons_open`, and as `Attempt.next`
    func beginExam(of enrolment: EnrolmentID, in tenant: TenantID, by principal: Principal) async throws -> Attempt {
        try await database.write(in: tenant) { tx in
            let learning = try tx.learning(enrolment)
            try learning.enrolment.requireLearner(principal)
            try learning.requireAccess()
            guard learning.hasReadAll else { throw Refusal(.conflict, "lessons_open", "The exam comes after all lessons.") }
            let rules = learning.course.exam
            if let open = try Attempt.next(after: learning.attempts, rules, at: tx.clock.now()) { return open }
            let id: AttemptID = tx.ids.next()
            // Of the random half of an id.
            let seed = Int64(bitPattern: (tx.ids.next() as AttemptID).low)
            let bank = try CourseStore(tx: tx.platform).questions(of: learning.course.id)
            let attempt = Attempt(
                id: id, enrolment: enrolment, number: Int64(learning.attempts.count) + 1, seed: seed,
                paper: Paper.draw(bank, count: Int(rules.questions), seed: seed), startedAt: tx.clock.now(),
                passPercent: rules.passPercent)
            try EnrolmentStore(tx: tx).insert(attempt)
            return attempt
        }
    }

    func attempt(_ id: AttemptID, of enrolment: EnrolmentID, in tenant: TenantID, by principal: Principal) async throws -> (Attempt, Learning) {
        let learning = try await learning(enrolment, of: tenant)
        try learning.enrolment.requireLearner(principal)
        guard let attempt = learning.attempts.first(where: { $0.id == id }) else { throw Refusal.missing("attempt") }
        return (attempt, learning)
    }

    /// Marks an attempt; who passes gets the certificate.
    /// - Parameter answers: for each question in its order, places of the options that were chosen.
    /// - Throws: `not_the_learner`, `course_unpaid`, `already_marked`, `wrong_answers`
    func handIn(
        _ id: AttemptID, _ answers: [[Int]], of enrolment: EnrolmentID, in tenant: TenantID, by principal: Principal
    ) async throws -> (attempt: Attempt, certificate: Certificate?) {
        let author = try await serviceName(try await learning(enrolment, of: tenant).course.author)
        return try await database.write(in: tenant) { tx in
            let learning = try tx.learning(enrolment)
            try learning.enrolment.requireLearner(principal)
            guard var attempt = learning.attempts.first(where: { $0.id == id }) else { throw Refusal.missing("attempt") }
            try learning.requireAccess()
            try attempt.mark(answers, learning.course.exam, at: tx.clock.now())
            try EnrolmentStore(tx: tx).update(attempt)
            guard attempt.hasPassed, learning.certificate == nil else { return (attempt, learning.certificate) }
            // Both halves are random: 124 bits that nobody guesses.
            let (one, other): (CertificateID, CertificateID) = (tx.ids.next(), tx.ids.next())
            let certificate = Certificate(
                id: CertificateID(high: one.low, low: other.low), owner: tenant, enrolment: enrolment, course: learning.course.id,
                courseTitle: learning.course.title, issuer: author, learnerName: learning.enrolment.learnerName,
                percent: attempt.percent ?? 0, issuedAt: tx.clock.now())
            try CertificateStore(tx: tx.platform).insert(certificate)
            try tx.audit(principal, "certificate.issue", "course:\(learning.course.id)")
            return (attempt, certificate)
        }
    }
}
