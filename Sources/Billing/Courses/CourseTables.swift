internal import Persistence

enum CourseTables {
    static let courses = Table(
        "courses", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("author", .uuid), Column("title", .text), Column("summary", .text), Column("currency", .text),
            Column("price", .integer), Column("exam_questions", .integer), Column("pass_percent", .integer), Column("attempts", .integer),
            Column("pause_minutes", .integer), Column("status", .text), Column("made_at", .timestamp)
        ],
        indexes: [Index("courses_author", on: ["author", "id"]), Index("courses_published", on: ["id"], where: .equals("status", "published"))],
        checks: [
            .oneOf(column: "status", values: Course.Status.allCases.map(\.rawValue)), .atLeast(column: "price", Course.prices.lowerBound),
            .atLeast(column: "exam_questions", 1), .atLeast(column: "pass_percent", 1), .atMost(column: "pass_percent", 100),
            .atLeast(column: "attempts", 1), .atLeast(column: "pause_minutes", 0)
        ])

    static let lessons = Table(
        "course_lessons", .platform, primaryKey: ["id"],
        columns: [Column("id", .uuid), Column("course_id", .uuid), Column("place", .integer), Column("title", .text), Column("text", .text)],
        indexes: [Index("course_lessons_course", on: ["course_id", "place"])])

    /// `options` and `right_places` are JSON.
    static let questions = Table(
        "course_questions", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("course_id", .uuid), Column("text", .text), Column("options", .text), Column("right_places", .text),
            Column("is_multiple", .boolean)
        ], indexes: [Index("course_questions_course", on: ["course_id", "id"])])

    static let certificates = Table(
        "certificates", .platform, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("owner", .uuid), Column("enrolment_id", .uuid), Column("course_id", .uuid), Column("course_title", .text),
            Column("issuer", .text), Column("learner_name", .text), Column("percent", .integer), Column("issued_at", .timestamp),
            Column("revoked_at", .timestamp, optional: true), Column("revocation", .text, optional: true)
        ],
        indexes: [
            Index("certificates_enrolment", on: ["owner", "enrolment_id"], unique: true), Index("certificates_course", on: ["course_id", "id"])
        ])

    static let enrolments = Table(
        "enrolments", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("course_id", .uuid), Column("learner", .uuid), Column("learner_name", .text), Column("invoice_id", .uuid),
            Column("bought_at", .timestamp), Column("ended_at", .timestamp, optional: true)
        ],
        indexes: [
            Index("enrolments_learner", on: ["tenant_id", "course_id", "learner"], unique: true, where: .isNull("ended_at")),
            Index("enrolments_invoice", on: ["tenant_id", "invoice_id"])
        ])

    static let progress = Table(
        "lesson_progress", .tenant, primaryKey: ["enrolment_id", "lesson_id"],
        columns: [Column("enrolment_id", .uuid), Column("lesson_id", .uuid), Column("done_at", .timestamp)])

    /// `paper` is JSON, with the right answers.
    private static let attemptsAtFirst = Table(
        "exam_attempts", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("enrolment_id", .uuid), Column("number", .integer), Column("seed", .integer), Column("paper", .text),
            Column("started_at", .timestamp), Column("marked_at", .timestamp, optional: true), Column("right_count", .integer, optional: true),
            Column("has_passed", .boolean)
        ], indexes: [Index("exam_attempts_number", on: ["tenant_id", "enrolment_id", "number"], unique: true)])

    /// Empty where the attempt was begun before this was kept.
    static let passPercent = Column("pass_percent", .integer, optional: true)
    static let attempts = attemptsAtFirst.with(passPercent)

    /// As the first migration makes them.
    static let atFirst = [courses, lessons, questions, certificates, enrolments, progress, attemptsAtFirst]
    static let all = [courses, lessons, questions, certificates, enrolments, progress, attempts]
}
