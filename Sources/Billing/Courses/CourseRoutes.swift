internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// What an author does: a tenant, or the operator for the platform.
struct CourseRoutes {
    let billing: Billing

    private static let incomplete = ErrorDeclaration(
        .conflict, "course_incomplete", "It needs lessons, and as many questions as an exam asks.")

    var endpoints: [Endpoint] {
        authored("/v1", tag: LearningRoutes.tag, read: .tenant(.servicesRead), write: .tenant(.servicesWrite)) { $0.tenant }
            + authored("/v1/platform", tag: "Operator", read: .platformOperator, write: .platformOperator) { _ in Tenancy.platformLog }
    }

    private func authored(
        _ prefix: String, tag: String, read: Access, write: Access, _ side: @escaping @Sendable (EndpointCall) -> TenantID
    ) -> [Endpoint] {
        [
            Endpoint.list(
                "\(prefix)/courses", access: read, summary: "List one's own courses, newest first", tag: tag, of: CourseView.self
            ) { call, page in
                let cursor: CourseID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.courses(of: side(call), before: cursor, limit: page.limit + 1)
                return Page(rows.map { CourseView($0) }, limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "\(prefix)/courses", access: write, summary: "Make a course", tag: tag, body: CourseBody.self,
                returns: .created(CourseView.self),
                errors: [ErrorDeclaration(.conflict, "payee_required", "Nobody said yet how the author is paid.")]
            ) { call, body in
                let author = side(call)
                return CourseView(
                    try await billing.makeCourse(of: author, by: call.principal) { id, now in try body.course(id, of: author, at: now) })
            },
            Endpoint(
                .get, "\(prefix)/courses/{id}", access: write, summary: "Show one's own course with its bank of questions", tag: tag,
                returns: .ok(AuthoredCourseView.self)
            ) { call in AuthoredCourseView(try await billing.authored(try call.id("id", noun: "course"), by: side(call))) },
            Endpoint(
                .put, "\(prefix)/courses/{id}", access: write, summary: "Change a course's terms", tag: tag, body: CourseBody.self,
                returns: .ok(CourseView.self), errors: [Self.incomplete]
            ) { call, body in
                CourseView(
                    try await billing.changeCourse(try call.id("id", noun: "course"), of: side(call), by: call.principal) { try body.apply(to: &$0) })
            },
            Endpoint(
                .post, "\(prefix)/courses/{id}/publication", access: write, summary: "Sell a course", tag: tag, returns: .ok(CourseView.self),
                errors: [Self.incomplete]
            ) { call in CourseView(try await billing.publish(try call.id("id", noun: "course"), of: side(call), by: call.principal)) },
            Endpoint(
                .post, "\(prefix)/courses/{id}/withdrawal", access: write, summary: "Sell a course no more", tag: tag, returns: .ok(CourseView.self)
            ) { call in CourseView(try await billing.withdrawCourse(try call.id("id", noun: "course"), of: side(call), by: call.principal)) }
        ] + content(prefix, tag: tag, write: write, side)
    }

    private func content(
        _ prefix: String, tag: String, write: Access, _ side: @escaping @Sendable (EndpointCall) -> TenantID
    ) -> [Endpoint] {
        @Sendable func saveLesson(_ call: EndpointCall, _ lesson: LessonID?, _ body: LessonBody) async throws -> LessonView {
            LessonView(
                try await billing.saveLesson(
                    lesson, title: body.title, text: body.text, in: try call.id("id", noun: "course"), of: side(call), by: call.principal))
        }
        @Sendable func saveQuestion(_ call: EndpointCall, _ question: QuestionID?, _ body: QuestionBody) async throws -> QuestionView {
            QuestionView(
                try await billing.saveQuestion(
                    question, text: body.text, options: body.options, right: body.right, isMultiple: body.isMultiple ?? false,
                    in: try call.id("id", noun: "course"), of: side(call), by: call.principal))
        }
        return [
            Endpoint(
                .post, "\(prefix)/courses/{id}/lessons", access: write, summary: "Add a lesson", tag: tag, body: LessonBody.self,
                returns: .created(LessonView.self), errors: [ErrorDeclaration(.conflict, "too_many_lessons", "It has all that it may have.")]
            ) { call, body in try await saveLesson(call, nil, body) },
            Endpoint(
                .put, "\(prefix)/courses/{id}/lessons/{lesson}", access: write, summary: "Change a lesson", tag: tag, body: LessonBody.self,
                returns: .ok(LessonView.self)
            ) { call, body in try await saveLesson(call, try call.id("lesson", noun: "lesson"), body) },
            Endpoint(
                .delete, "\(prefix)/courses/{id}/lessons/{lesson}", access: write, summary: "Take a lesson out", tag: tag, returns: .noContent,
                errors: [Self.incomplete]
            ) { call in
                try await billing.removeLesson(
                    try call.id("lesson", noun: "lesson"), in: try call.id("id", noun: "course"), of: side(call), by: call.principal)
            },
            Endpoint(
                .post, "\(prefix)/courses/{id}/questions", access: write, summary: "Add a question to the bank", tag: tag, body: QuestionBody.self,
                returns: .created(QuestionView.self), errors: [ErrorDeclaration(.conflict, "too_many_questions", "It has all that it may have.")]
            ) { call, body in try await saveQuestion(call, nil, body) },
            Endpoint(
                .put, "\(prefix)/courses/{id}/questions/{question}", access: write, summary: "Change a question", tag: tag, body: QuestionBody.self,
                returns: .ok(QuestionView.self)
            ) { call, body in try await saveQuestion(call, try call.id("question", noun: "question"), body) },
            Endpoint(
                .delete, "\(prefix)/courses/{id}/questions/{question}", access: write, summary: "Take a question out of the bank", tag: tag,
                returns: .noContent, errors: [Self.incomplete]
            ) { call in
                try await billing.removeQuestion(
                    try call.id("question", noun: "question"), in: try call.id("id", noun: "course"), of: side(call), by: call.principal)
            },
            Endpoint.list(
                "\(prefix)/courses/{id}/certificates", access: write, summary: "List a course's certificates", tag: tag, of: CertificateView.self
            ) { call, page in
                let cursor: CertificateID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.certificates(
                    of: try call.id("id", noun: "course"), by: side(call), before: cursor, limit: page.limit + 1)
                return Page(rows.map(CertificateView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "\(prefix)/courses/{id}/certificates/{certificate}/revocation", access: write, summary: "Take a certificate back, for good",
                tag: tag, returns: .ok(CertificateView.self)
            ) { call in
                CertificateView(
                    try await billing.revoke(
                        try call.id("certificate", noun: "certificate"), in: try call.id("id", noun: "course"), of: side(call), by: call.principal))
            }
        ]
    }
}
