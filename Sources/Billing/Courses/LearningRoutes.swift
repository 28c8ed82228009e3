internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// Buying courses and learning.
struct LearningRoutes {
    let billing: Billing

    static let tag = "Courses"
    private static let read = Access.tenant(.servicesRead)
    private static let closed = ErrorDeclaration(.conflict, "course_unpaid", "Its invoice is not paid.")
    private static let other = ErrorDeclaration(.forbidden, "not_the_learner", "Somebody else was enrolled.")

    var endpoints: [Endpoint] { bought + learned + verified }

    private var bought: [Endpoint] {
        [
            Endpoint.list(
                "/v1/course-market", access: Self.read, summary: "List the courses that can be bought, newest first", tag: Self.tag,
                of: CourseView.self
            ) { call, page in
                let cursor: CourseID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.publishedCourses(before: cursor, limit: page.limit + 1)
                return Page(rows.map { CourseView($0) }, limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/course-market/{id}", access: Self.read, summary: "Show a course with its lessons' titles", tag: Self.tag,
                returns: .ok(CourseView.self)
            ) { call in
                let found = try await billing.course(try call.id("id", noun: "course"), for: call.tenant)
                return CourseView(found.course, found.lessons)
            },
            Endpoint(
                .post, "/v1/enrolments", access: .tenant(.billingWrite), summary: "Buy a course for a member", tag: Self.tag,
                body: EnrolmentBody.self, returns: .created(EnrolmentView.self),
                errors: [
                    ErrorDeclaration(
                        .conflict, "already_enrolled",
                        "The member has it, it is the tenant's own, its price is another than was seen, or there is no billing profile yet.")
                ]
            ) { call, body in
                let made = try await billing.enrol(
                    body.learnerId, name: body.learnerName, in: body.courseId, of: call.tenant, seen: body.seen, by: call.principal)
                return EnrolmentView(try await billing.learning(made.id, of: call.tenant))
            },
            Endpoint.list(
                "/v1/enrolments", access: Self.read, summary: "List who learns what, newest first", tag: Self.tag, of: EnrolmentView.self
            ) { call, page in
                let cursor: EnrolmentID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.enrolments(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(EnrolmentView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/enrolments/{id}", access: Self.read, summary: "Show how far somebody is", tag: Self.tag, returns: .ok(EnrolmentView.self)
            ) { call in EnrolmentView(try await billing.learning(try call.id("id", noun: "enrolment"), of: call.tenant)) }
        ]
    }

    private var learned: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/enrolments/{id}/lessons/{lesson}", access: Self.read, summary: "Read a lesson", tag: Self.tag,
                returns: .ok(LessonView.self), errors: [Self.closed, Self.other]
            ) { call in
                LessonView(
                    try await billing.lesson(
                        try call.id("lesson", noun: "lesson"), of: try call.id("id", noun: "enrolment"), in: call.tenant, by: call.principal
                    ).0)
            },
            Endpoint(
                .put, "/v1/enrolments/{id}/lessons/{lesson}/completion", access: Self.read, summary: "Note that a lesson was gone through",
                tag: Self.tag, returns: .ok(EnrolmentView.self), errors: [Self.closed, Self.other]
            ) { call in
                EnrolmentView(
                    try await billing.finish(
                        try call.id("lesson", noun: "lesson"), of: try call.id("id", noun: "enrolment"), in: call.tenant, by: call.principal))
            },
            Endpoint(
                .post, "/v1/enrolments/{id}/attempts", access: Self.read, summary: "Begin the exam, or go on with it", tag: Self.tag,
                returns: .created(ExamAttemptView.self),
                errors: [
                    Self.closed, Self.other,
                    ErrorDeclaration(.conflict, "lessons_open", "Lessons are left, the exam is passed, no attempt is left, or it is too early.")
                ]
            ) { call in
                ExamAttemptView(try await billing.beginExam(of: try call.id("id", noun: "enrolment"), in: call.tenant, by: call.principal), nil)
            },
            Endpoint(
                .get, "/v1/enrolments/{id}/attempts/{attempt}", access: Self.read, summary: "Show an attempt at the exam", tag: Self.tag,
                returns: .ok(ExamAttemptView.self), errors: [Self.other]
            ) { call in
                let found = try await billing.attempt(
                    try call.id("attempt", noun: "attempt"), of: try call.id("id", noun: "enrolment"), in: call.tenant, by: call.principal)
                return ExamAttemptView(found.0, found.0.hasPassed ? found.1.certificate : nil)
            },
            Endpoint(
                .post, "/v1/enrolments/{id}/attempts/{attempt}/answers", access: Self.read, summary: "Hand the answers in", tag: Self.tag,
                body: AnswersBody.self, returns: .ok(ExamAttemptView.self),
                errors: [Self.closed, Self.other, ErrorDeclaration(.conflict, "already_marked", "They were marked already.")]
            ) { call, body in
                let marked = try await billing.handIn(
                    try call.id("attempt", noun: "attempt"), body.answers, of: try call.id("id", noun: "enrolment"), in: call.tenant,
                    by: call.principal)
                return ExamAttemptView(marked.attempt, marked.certificate)
            }
        ]
    }

    private var verified: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/certificates/{id}", access: .public("Who is shown a certificate verifies it, without an account."),
                summary: "Verify a certificate", tag: Self.tag, returns: .ok(CertificateView.self)
            ) { call in CertificateView(try await billing.certificate(try call.id("id", noun: "certificate"))) }
        ]
    }
}
