internal import Kernel
internal import Persistence

/// What a tenant's people have bought, read and answered.
struct EnrolmentStore {
    let tx: TenantTransaction

    func insert(_ new: Enrolment) throws {
        try tx.execute(
            """
            INSERT INTO enrolments (tenant_id, id, course_id, learner, learner_name, invoice_id, bought_at, ended_at)
            VALUES (\(tx.tenant), \(new.id), \(new.course), \(new.learner), \(new.learnerName), \(new.invoice), \(new.boughtAt), \(new.endedAt))
            """)
    }

    func end(_ enrolment: EnrolmentID, at now: Timestamp) throws {
        try tx.execute("UPDATE enrolments SET ended_at = \(now) WHERE tenant_id = \(tx.tenant) AND id = \(enrolment)")
    }

    func enrolment(_ id: EnrolmentID) throws -> Enrolment? {
        try tx.first(
            """
            SELECT id, course_id, learner, learner_name, invoice_id, bought_at, ended_at FROM enrolments
            WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, Self.enrolment)
    }

    /// The one that was not refunded.
    func current(_ course: CourseID, _ learner: UserID) throws -> Enrolment? {
        try tx.first(
            """
            SELECT id, course_id, learner, learner_name, invoice_id, bought_at, ended_at FROM enrolments
            WHERE tenant_id = \(tx.tenant) AND course_id = \(course) AND learner = \(learner) AND ended_at IS NULL
            """, Self.enrolment)
    }

    func enrolments(on invoice: InvoiceID) throws -> [Enrolment] {
        try tx.all(
            """
            SELECT id, course_id, learner, learner_name, invoice_id, bought_at, ended_at FROM enrolments
            WHERE tenant_id = \(tx.tenant) AND invoice_id = \(invoice)
            """, Self.enrolment)
    }

    /// Newest first.
    func page(before cursor: EnrolmentID?, limit: Int) throws -> [Enrolment] {
        let last = cursor ?? EnrolmentID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, course_id, learner, learner_name, invoice_id, bought_at, ended_at FROM enrolments
            WHERE tenant_id = \(tx.tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.enrolment)
    }

    func isDisputed(_ invoice: InvoiceID) throws -> Bool { try PaymentPartStore(tx: tx).isDisputed(invoice) }

    // MARK: Lessons

    func note(_ lesson: LessonID, in enrolment: EnrolmentID) throws {
        try tx.execute(
            """
            INSERT INTO lesson_progress (tenant_id, enrolment_id, lesson_id, done_at)
            VALUES (\(tx.tenant), \(enrolment), \(lesson), \(tx.clock.now())) ON CONFLICT (tenant_id, enrolment_id, lesson_id) DO NOTHING
            """)
    }

    func done(in enrolment: EnrolmentID) throws -> Set<LessonID> {
        Set(try tx.all("SELECT lesson_id FROM lesson_progress WHERE tenant_id = \(tx.tenant) AND enrolment_id = \(enrolment)") { try $0.column(0) })
    }

    // MARK: Exams

    func insert(_ new: Attempt) throws {
        try tx.execute(
            """
            INSERT INTO exam_attempts (tenant_id, id, enrolment_id, number, seed, paper, started_at, marked_at, right_count, has_passed,
                pass_percent)
            VALUES (\(tx.tenant), \(new.id), \(new.enrolment), \(new.number), \(new.seed), \(try CourseStore.json(new.paper)), \(new.startedAt),
                \(new.markedAt), \(new.right), \(new.hasPassed), \(new.passPercent))
            """)
    }

    func update(_ attempt: Attempt) throws {
        try tx.execute(
            """
            UPDATE exam_attempts SET marked_at = \(attempt.markedAt), right_count = \(attempt.right), has_passed = \(attempt.hasPassed)
            WHERE tenant_id = \(tx.tenant) AND id = \(attempt.id)
            """)
    }

    /// In their order; never more than a course allows.
    func attempts(of enrolment: EnrolmentID) throws -> [Attempt] {
        try tx.all(
            """
            SELECT id, enrolment_id, number, seed, paper, started_at, marked_at, right_count, has_passed, pass_percent FROM exam_attempts
            WHERE tenant_id = \(tx.tenant) AND enrolment_id = \(enrolment) ORDER BY number
            """
        ) { row in
            Attempt(
                id: try row.column(0), enrolment: try row.column(1), number: try row.column(2), seed: try row.column(3),
                paper: try CourseStore.read(try row.column(4)), startedAt: try row.column(5), markedAt: try row.column(6), right: try row.column(7),
                hasPassed: try row.column(8), passPercent: try row.column(9))
        }
    }

    private static func enrolment(_ row: Row) throws -> Enrolment {
        Enrolment(
            id: try row.column(0), course: try row.column(1), learner: try row.column(2), learnerName: try row.column(3), invoice: try row.column(4),
            boughtAt: try row.column(5), endedAt: try row.column(6))
    }
}
