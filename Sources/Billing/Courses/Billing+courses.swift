internal import Kernel
internal import Persistence
internal import Tenancy

/// What an author does with a course.
extension Billing {
    func publishedCourses(before cursor: CourseID?, limit: Int) async throws -> [Course] {
        try await database.readPlatform { tx in try CourseStore(tx: tx).published(before: cursor, limit: limit) }
    }

    func courses(of author: TenantID, before cursor: CourseID?, limit: Int) async throws -> [Course] {
        try await database.readPlatform { tx in try CourseStore(tx: tx).courses(of: author, before: cursor, limit: limit) }
    }

    /// A course as who may buy it sees it: published, or the tenant's own.
    func course(_ id: CourseID, for tenant: TenantID) async throws -> (course: Course, lessons: [Lesson]) {
        try await database.readPlatform { tx in
            let store = CourseStore(tx: tx)
            guard let course = try store.course(id), course.status == .published || course.author == tenant else { throw Refusal.missing("course") }
            return (course, try store.lessons(of: id))
        }
    }

    struct AuthoredCourse: Sendable {
        var course: Course
        var lessons: [Lesson]
        var questions: [Question]
    }

    /// With its bank, for its author alone.
    func authored(_ id: CourseID, by author: TenantID) async throws -> AuthoredCourse {
        try await database.readPlatform { tx in
            let store = CourseStore(tx: tx)
            guard let course = try store.course(id), course.author == author else { throw Refusal.missing("course") }
            return AuthoredCourse(course: course, lessons: try store.lessons(of: id), questions: try store.questions(of: id))
        }
    }

    /// - Throws: `payee_required`, `too_many_courses`, `out_of_range`, `unknown_currency`
    func makeCourse(
        of author: TenantID, by principal: Principal, _ make: @escaping @Sendable (CourseID, Timestamp) throws -> Course
    ) async throws -> Course {
        try await database.write(in: author) { tx in
            if author != Tenancy.platformLog, try PayeeStore(tx: tx.platform).payee(author) == nil {
                throw Refusal(.conflict, "payee_required", "Say first how you are paid, under Earnings.")
            }
            guard try CourseStore(tx: tx.platform).courses(of: author, before: nil, limit: Course.maximum).count < Course.maximum else {
                throw Refusal(.conflict, "too_many_courses", "There are at most \(Course.maximum) courses of one author.")
            }
            let course = try make(tx.ids.next(), tx.clock.now()).checked()
            try CourseStore(tx: tx.platform).save(course)
            try tx.audit(principal, "course.create", "course:\(course.id)")
            return course
        }
    }

    /// Does something to a course as its author.
    private func change<Result: Sendable>(
        _ id: CourseID, of author: TenantID, _ action: String, by principal: Principal,
        _ body: @escaping @Sendable (CourseStore, inout Course, IDs) throws -> Result
    ) async throws -> Result {
        try await database.write(in: author) { tx in
            let store = CourseStore(tx: tx.platform)
            guard var course = try store.course(id), course.author == author else { throw Refusal.missing("course") }
            let before = course
            let result = try body(store, &course, tx.ids)
            if course != before { try store.save(try course.checked()) }
            try tx.audit(principal, action, "course:\(id)")
            return result
        }
    }

    /// Terms of later sales and of exams that begin later.
    func changeCourse(
        _ id: CourseID, of author: TenantID, by principal: Principal, _ change: @escaping @Sendable (inout Course) throws -> Void
    ) async throws -> Course {
        try await self.change(id, of: author, "course.update", by: principal) { store, course, _ in
            try change(&course)
            try Self.requireBank(store, course, without: nil)
            return course
        }
    }

    /// - Throws: `course_incomplete`
    func publish(_ id: CourseID, of author: TenantID, by principal: Principal) async throws -> Course {
        try await change(id, of: author, "course.publish", by: principal) { store, course, _ in
            try course.publish(lessons: try store.lessons(of: id).count, questions: try store.questions(of: id).count)
            return course
        }
    }

    /// Nobody buys it any more; who has goes on.
    func withdrawCourse(_ id: CourseID, of author: TenantID, by principal: Principal) async throws -> Course {
        try await change(id, of: author, "course.withdraw", by: principal) { _, course, _ in
            course.status = .withdrawn
            return course
        }
    }

    /// What is on sale has enough questions, whatever is taken out.
    private static func requireBank(_ store: CourseStore, _ course: Course, without question: QuestionID?) throws {
        guard course.status != .draft else { return }
        let count = try store.questions(of: course.id).count { $0.id != question }
        guard count >= course.exam.questions else {
            throw Refusal(.conflict, "course_incomplete", "The bank has at least as many questions as an exam asks.")
        }
    }

    /// - Parameter lesson: nil for a new one, at the end.
    func saveLesson(
        _ lesson: LessonID?, title: String, text: String, in id: CourseID, of author: TenantID, by principal: Principal
    ) async throws -> Lesson {
        try await change(id, of: author, "course.lesson", by: principal) { store, _, ids in
            let known = try store.lessons(of: id)
            if let lesson, !known.contains(where: { $0.id == lesson }) { throw Refusal.missing("lesson") }
            guard lesson != nil || known.count < Course.lessonsMaximum else {
                throw Refusal(.conflict, "too_many_lessons", "A course has at most \(Course.lessonsMaximum) lessons.")
            }
            let place = known.first { $0.id == lesson }?.place ?? (known.last?.place ?? 0) + 1
            let saved = try Lesson(id: lesson ?? ids.next(), course: id, place: place, title: title, text: text).checked()
            try store.save(saved)
            return saved
        }
    }

    func removeLesson(_ lesson: LessonID, in id: CourseID, of author: TenantID, by principal: Principal) async throws {
        try await change(id, of: author, "course.lesson_removal", by: principal) { store, course, _ in
            let known = try store.lessons(of: id)
            guard known.contains(where: { $0.id == lesson }) else { throw Refusal.missing("lesson") }
            guard course.status == .draft || known.count > 1 else {
                throw Refusal(.conflict, "course_incomplete", "What is on sale has lessons.")
            }
            try store.remove(lesson)
        }
    }

    /// - Parameter question: nil for a new one.
    func saveQuestion(
        _ question: QuestionID?, text: String, options: [String], right: [Int], isMultiple: Bool, in id: CourseID, of author: TenantID,
        by principal: Principal
    ) async throws -> Question {
        try await change(id, of: author, "course.question", by: principal) { store, _, ids in
            let known = try store.questions(of: id)
            if let question, !known.contains(where: { $0.id == question }) { throw Refusal.missing("question") }
            guard question != nil || known.count < Course.questionsMaximum else {
                throw Refusal(.conflict, "too_many_questions", "A bank has at most \(Course.questionsMaximum) questions.")
            }
            let saved = try Question(
                id: question ?? ids.next(), course: id, text: text, options: options, right: right, isMultiple: isMultiple
            ).checked()
            try store.save(saved)
            return saved
        }
    }

    func removeQuestion(_ question: QuestionID, in id: CourseID, of author: TenantID, by principal: Principal) async throws {
        try await change(id, of: author, "course.question_removal", by: principal) { store, course, _ in
            guard try store.questions(of: id).contains(where: { $0.id == question }) else { throw Refusal.missing("question") }
            try Self.requireBank(store, course, without: question)
            try store.remove(question)
        }
    }

    // MARK: Certificates

    func certificates(of id: CourseID, by author: TenantID, before cursor: CertificateID?, limit: Int) async throws -> [Certificate] {
        try await database.readPlatform { tx in
            guard try CourseStore(tx: tx).course(id)?.author == author else { throw Refusal.missing("course") }
            return try CertificateStore(tx: tx).certificates(of: id, before: cursor, limit: limit)
        }
    }

    /// For anybody who knows its id.
    func certificate(_ id: CertificateID) async throws -> Certificate {
        guard let found = try await database.readPlatform({ tx in try CertificateStore(tx: tx).certificate(id) }) else {
            throw Refusal.missing("certificate")
        }
        return found
    }

    /// The author takes a certificate back, for good.
    func revoke(_ id: CertificateID, in course: CourseID, of author: TenantID, by principal: Principal) async throws -> Certificate {
        try await database.write(in: author) { tx in
            let store = CertificateStore(tx: tx.platform)
            guard try CourseStore(tx: tx.platform).course(course)?.author == author, var found = try store.certificate(id), found.course == course
            else { throw Refusal.missing("certificate") }
            if found.revocation != .withdrawn {
                (found.revocation, found.revokedAt) = (.withdrawn, tx.clock.now())
                try store.update(found)
                try tx.audit(principal, "certificate.revoke", "course:\(course)", ["certificate": .string(id.description)])
            }
            return found
        }
    }
}
