internal import Foundation
internal import Kernel
internal import Persistence

/// Courses with their lessons and questions, of all authors.
struct CourseStore {
    let tx: PlatformTransaction

    func save(_ course: Course) throws {
        try tx.execute(
            """
            INSERT INTO courses (id, author, title, summary, currency, price, exam_questions, pass_percent, attempts, pause_minutes, status, made_at)
            VALUES (\(course.id), \(course.author), \(course.title), \(course.summary), \(course.currency), \(course.price),
                \(course.exam.questions), \(course.exam.passPercent), \(course.exam.attempts), \(course.exam.pauseMinutes), \(course.status),
                \(course.madeAt))
            ON CONFLICT (id) DO UPDATE SET title = excluded.title, summary = excluded.summary, currency = excluded.currency, price = excluded.price,
                exam_questions = excluded.exam_questions, pass_percent = excluded.pass_percent, attempts = excluded.attempts,
                pause_minutes = excluded.pause_minutes, status = excluded.status
            """)
    }

    func course(_ id: CourseID) throws -> Course? {
        try tx.first(
            """
            SELECT id, author, title, summary, currency, price, exam_questions, pass_percent, attempts, pause_minutes, status, made_at FROM courses
            WHERE id = \(id)
            """, Self.course)
    }

    /// Those that can be bought, newest first.
    func published(before cursor: CourseID?, limit: Int) throws -> [Course] {
        let last = cursor ?? CourseID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, author, title, summary, currency, price, exam_questions, pass_percent, attempts, pause_minutes, status, made_at FROM courses
            WHERE status = 'published' AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.course)
    }

    func courses(of author: TenantID, before cursor: CourseID?, limit: Int) throws -> [Course] {
        let last = cursor ?? CourseID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, author, title, summary, currency, price, exam_questions, pass_percent, attempts, pause_minutes, status, made_at FROM courses
            WHERE author = \(author) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.course)
    }

    private static func course(_ row: Row) throws -> Course {
        Course(
            id: try row.column(0), author: try row.column(1), title: try row.column(2), summary: try row.column(3), currency: try row.column(4),
            price: try row.column(5),
            exam: ExamRules(
                questions: try row.column(6), passPercent: try row.column(7), attempts: try row.column(8), pauseMinutes: try row.column(9)),
            status: try row.column(10), madeAt: try row.column(11))
    }

    // MARK: Lessons

    func save(_ lesson: Lesson) throws {
        try tx.execute(
            """
            INSERT INTO course_lessons (id, course_id, place, title, text)
            VALUES (\(lesson.id), \(lesson.course), \(lesson.place), \(lesson.title), \(lesson.text))
            ON CONFLICT (id) DO UPDATE SET title = excluded.title, text = excluded.text
            """)
    }

    func remove(_ lesson: LessonID) throws { try tx.execute("DELETE FROM course_lessons WHERE id = \(lesson)") }

    /// In their order; never more than a course may have.
    func lessons(of course: CourseID) throws -> [Lesson] {
        try tx.all(
            """
            SELECT id, course_id, place, title, text FROM course_lessons WHERE course_id = \(course) ORDER BY place, id
            LIMIT \(Course.lessonsMaximum)
            """
        ) { row in
            Lesson(
                id: try row.column(0), course: try row.column(1), place: try row.column(2), title: try row.column(3), text: try row.column(4))
        }
    }

    // MARK: Questions

    func save(_ question: Question) throws {
        try tx.execute(
            """
            INSERT INTO course_questions (id, course_id, text, options, right_places, is_multiple)
            VALUES (\(question.id), \(question.course), \(question.text), \(try Self.json(question.options)), \(try Self.json(question.right)),
                \(question.isMultiple))
            ON CONFLICT (id) DO UPDATE SET text = excluded.text, options = excluded.options, right_places = excluded.right_places,
                is_multiple = excluded.is_multiple
            """)
    }

    func remove(_ question: QuestionID) throws { try tx.execute("DELETE FROM course_questions WHERE id = \(question)") }

    func questions(of course: CourseID) throws -> [Question] {
        try tx.all(
            """
            SELECT id, course_id, text, options, right_places, is_multiple FROM course_questions WHERE course_id = \(course) ORDER BY id
            LIMIT \(Course.questionsMaximum)
            """
        ) { row in
            Question(
                id: try row.column(0), course: try row.column(1), text: try row.column(2), options: try Self.read(row.column(3)),
                right: try Self.read(row.column(4)), isMultiple: try row.column(5))
        }
    }

    static func json(_ value: some Encodable) throws -> String { String(decoding: try JSONEncoder().encode(value), as: UTF8.self) }
    static func read<Value: Decodable>(_ text: String) throws -> Value { try JSONDecoder().decode(Value.self, from: Data(text.utf8)) }
}

/// Certificates of all tenants, since whoever verifies one has no tenant.
struct CertificateStore {
    let tx: PlatformTransaction

    func insert(_ new: Certificate) throws {
        try tx.execute(
            """
            INSERT INTO certificates (id, owner, enrolment_id, course_id, course_title, issuer, learner_name, percent, issued_at, revoked_at, revocation)
            VALUES (\(new.id), \(new.owner), \(new.enrolment), \(new.course), \(new.courseTitle), \(new.issuer), \(new.learnerName), \(new.percent),
                \(new.issuedAt), \(new.revokedAt), \(new.revocation?.rawValue))
            """)
    }

    func update(_ certificate: Certificate) throws {
        try tx.execute(
            """
            UPDATE certificates SET revoked_at = \(certificate.revokedAt), revocation = \(certificate.revocation?.rawValue)
            WHERE id = \(certificate.id)
            """)
    }

    func certificate(_ id: CertificateID) throws -> Certificate? {
        try tx.first(
            """
            SELECT id, owner, enrolment_id, course_id, course_title, issuer, learner_name, percent, issued_at, revoked_at, revocation
            FROM certificates WHERE id = \(id)
            """, Self.read)
    }

    func certificate(of enrolment: EnrolmentID, _ owner: TenantID) throws -> Certificate? {
        try tx.first(
            """
            SELECT id, owner, enrolment_id, course_id, course_title, issuer, learner_name, percent, issued_at, revoked_at, revocation
            FROM certificates WHERE owner = \(owner) AND enrolment_id = \(enrolment)
            """, Self.read)
    }

    /// In the order of their ids, which tells nothing.
    func certificates(of course: CourseID, before cursor: CertificateID?, limit: Int) throws -> [Certificate] {
        let last = cursor ?? CertificateID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, owner, enrolment_id, course_id, course_title, issuer, learner_name, percent, issued_at, revoked_at, revocation
            FROM certificates WHERE course_id = \(course) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    private static func read(_ row: Row) throws -> Certificate {
        let reason: String? = try row.column(10)
        return Certificate(
            id: try row.column(0), owner: try row.column(1), enrolment: try row.column(2), course: try row.column(3), courseTitle: try row.column(4),
            issuer: try row.column(5), learnerName: try row.column(6), percent: try row.column(7), issuedAt: try row.column(8),
            revokedAt: try row.column(9), revocation: reason.flatMap { Certificate.Revocation(rawValue: $0) })
    }
}

extension Course.Status: SQLBindable, SQLReadable {}
