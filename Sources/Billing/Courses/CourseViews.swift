internal import HTTPSurface
internal import Kernel
internal import Tenancy

struct CourseBody: Codable, Sendable, Described {
    var title: String
    var summary: String?
    var price: Int
    var currency: String?
    var examQuestions: Int
    var passPercent: Int?
    var attempts: Int?
    var pauseMinutes: Int?
    static let notes: [FieldNote] = [
        FieldNote("title", "As it stands on the invoice and the certificate.", example: "Building agents", length: 1...200),
        FieldNote("summary", "For who may buy it.", length: 0...4_000),
        FieldNote("price", "For one person, without tax, in the minor unit.", example: 49_900, range: 29_900...199_900),
        FieldNote("currency", "USD where it is left out.", length: 3...3),
        FieldNote("examQuestions", "How many are drawn of the bank for an exam.", example: 10, range: 1...100),
        FieldNote("passPercent", "Of them that must be right; 80 where it is left out.", range: 1...100),
        FieldNote("attempts", "How often the exam can be taken; 3 where it is left out.", range: 1...20),
        FieldNote("pauseMinutes", "Between a failed attempt and the next; 1440 where it is left out.", range: 0...43_200)
    ]

    func apply(to course: inout Course) throws {
        (course.title, course.summary, course.price) = (title, summary ?? "", Int64(price))
        course.currency = try AmountBounds.checkedCurrency(currency ?? "USD")
        course.exam = ExamRules(
            questions: Int64(examQuestions), passPercent: Int64(passPercent ?? 80), attempts: Int64(attempts ?? 3),
            pauseMinutes: Int64(pauseMinutes ?? 1_440))
    }

    func course(_ id: CourseID, of author: TenantID, at now: Timestamp) throws -> Course {
        var course = Course(
            id: id, author: author, title: "", summary: "", currency: "USD", price: 0,
            exam: ExamRules(questions: 1, passPercent: 80, attempts: 1, pauseMinutes: 0), madeAt: now)
        try apply(to: &course)
        return course
    }
}

struct CourseView: Codable, Sendable, Described {
    var id: CourseID
    var author: TenantID?
    var title: String
    var summary: String
    var price: Int
    var currency: String
    var examQuestions: Int
    var passPercent: Int
    var attempts: Int
    var pauseMinutes: Int
    var status: String
    var lessons: [LessonTitleView]
    static let typeDescription: String? = "A course with an exam."
    static let notes: [FieldNote] = [
        FieldNote("author", "The platform itself where it is left out."), FieldNote("status", "draft, published or withdrawn."),
        FieldNote("lessons", "Empty in lists.")
    ]

    init(_ course: Course, _ lessons: [Lesson] = []) {
        (id, author, title, summary) = (course.id, course.author.unlessPlatform, course.title, course.summary)
        (price, currency, status) = (Int(course.price), course.currency, course.status.rawValue)
        (examQuestions, passPercent) = (Int(course.exam.questions), Int(course.exam.passPercent))
        (attempts, pauseMinutes) = (Int(course.exam.attempts), Int(course.exam.pauseMinutes))
        self.lessons = lessons.map { LessonTitleView(id: $0.id, title: $0.title) }
    }
}

struct LessonTitleView: Codable, Sendable {
    var id: LessonID
    var title: String
}

struct LessonBody: Codable, Sendable, Described {
    var title: String
    var text: String
    static let notes: [FieldNote] = [
        FieldNote("title", "In the list of lessons.", example: "The first workflow", length: 1...200),
        FieldNote("text", "Markdown (CommonMark); HTML in it is shown as text.", example: "# Begin here", length: 1...60_000)
    ]
}

struct LessonView: Codable, Sendable, Described {
    var id: LessonID
    var title: String
    var text: String
    var html: String
    static let notes: [FieldNote] = [FieldNote("text", "Markdown."), FieldNote("html", "The same as HTML.")]

    init(_ lesson: Lesson) {
        (id, title, text) = (lesson.id, lesson.title, lesson.text)
        html = MarkdownText(lesson.text).html.text
    }
}

struct QuestionBody: Codable, Sendable, Described {
    var text: String
    var options: [String]
    var right: [Int]
    var isMultiple: Bool?
    static let notes: [FieldNote] = [
        FieldNote("text", "What is asked.", example: "Which of these is a trigger?", length: 1...1_000),
        FieldNote("options", "What can be chosen; shown in another order each time.", example: ["Webhook", "Set"], items: 2...10),
        FieldNote("right", "Places of the right options, from 0.", example: [0], items: 1...10),
        FieldNote("isMultiple", "Several can be chosen, and all right ones must be.")
    ]
}

struct QuestionView: Codable, Sendable, Described {
    var id: QuestionID
    var text: String
    var options: [String]
    var right: [Int]
    var isMultiple: Bool
    static let notes: [FieldNote] = [FieldNote("right", "Shown to the author alone.")]

    init(_ question: Question) {
        (id, text, options) = (question.id, question.text, question.options)
        (right, isMultiple) = (question.right, question.isMultiple)
    }
}

struct AuthoredCourseView: Codable, Sendable {
    var course: CourseView
    var lessons: [LessonView]
    var questions: [QuestionView]

    init(_ authored: Billing.AuthoredCourse) {
        course = CourseView(authored.course, authored.lessons)
        (lessons, questions) = (authored.lessons.map(LessonView.init), authored.questions.map(QuestionView.init))
    }
}

struct EnrolmentBody: Codable, Sendable, Described {
    var courseId: CourseID
    var learnerId: UserID?
    var learnerName: String
    var price: Int?
    var currency: String?
    static let notes: [FieldNote] = [
        FieldNote("learnerId", "A member of the tenant; who asks where it is left out."),
        FieldNote("learnerName", "As it is to stand on the certificate.", example: "Ana Example", length: 1...200),
        FieldNote("price", "As it was seen: where it is another by now nothing is bought.", example: 49_900, range: 0...1e15),
        FieldNote("currency", "Of price; USD where it is left out.", length: 3...3)
    ]

    var seen: Money? { price.map { Money(minorUnits: Int64($0), currency: currency ?? "USD") } }
}

struct EnrolmentView: Codable, Sendable, Described {
    var id: EnrolmentID
    var course: CourseView
    var learnerId: UserID
    var learnerName: String
    var invoiceId: InvoiceID
    var access: String
    var boughtAt: Timestamp
    var done: [LessonID]
    var attempts: [ExamResultView]
    var certificate: CertificateView?
    static let typeDescription: String? = "A person in a course that the tenant has bought."
    static let notes: [FieldNote] = [
        FieldNote("access", "open, unpaid or refunded."), FieldNote("done", "The lessons that were gone through.")
    ]

    init(_ learning: Learning) {
        (id, learnerId, learnerName) = (learning.enrolment.id, learning.enrolment.learner, learning.enrolment.learnerName)
        (invoiceId, access, boughtAt) = (learning.enrolment.invoice, learning.access.rawValue, learning.enrolment.boughtAt)
        course = CourseView(learning.course, learning.lessons)
        done = learning.lessons.map(\.id).filter(learning.done.contains)
        attempts = learning.attempts.map(ExamResultView.init)
        certificate = learning.certificate.map(CertificateView.init)
    }
}

struct ExamResultView: Codable, Sendable, Described {
    var id: AttemptID
    var number: Int
    var startedAt: Timestamp
    var markedAt: Timestamp?
    var percent: Int?
    var hasPassed: Bool
    static let notes: [FieldNote] = [FieldNote("percent", "Of the questions that were right, rounded down; null until it is marked.")]

    init(_ attempt: Attempt) {
        (id, number, startedAt, markedAt) = (attempt.id, Int(attempt.number), attempt.startedAt, attempt.markedAt)
        (percent, hasPassed) = (attempt.percent.map { Int($0) }, attempt.hasPassed)
    }
}

struct PaperQuestionView: Codable, Sendable {
    var text: String
    var options: [String]
    var isMultiple: Bool
}

struct ExamAttemptView: Codable, Sendable, Described {
    var attempt: ExamResultView
    var questions: [PaperQuestionView]
    var certificate: CertificateView?
    static let typeDescription: String? = "An exam as it is asked; the right answers are shown to nobody."
    static let notes: [FieldNote] = [FieldNote("certificate", "Once it is passed.")]

    init(_ attempt: Attempt, _ certificate: Certificate?) {
        self.attempt = ExamResultView(attempt)
        questions = attempt.paper.map { PaperQuestionView(text: $0.text, options: $0.options, isMultiple: $0.isMultiple) }
        self.certificate = certificate.map(CertificateView.init)
    }
}

struct AnswersBody: Codable, Sendable, Described {
    var answers: [[Int]]
    static let notes: [FieldNote] = [
        FieldNote("answers", "For each question, places of the chosen options from 0.", example: [[0], [1, 2]], items: 0...100)
    ]
}

struct CertificateView: Codable, Sendable, Described {
    var id: CertificateID
    var course: String
    var issuer: String
    var learnerName: String
    var percent: Int
    var issuedAt: Timestamp
    var isValid: Bool
    var revokedAt: Timestamp?
    var revocation: String?
    static let typeDescription: String? = "That somebody has passed a course's exam."
    static let notes: [FieldNote] = [
        FieldNote("id", "Cannot be guessed; who knows it can verify the certificate."),
        FieldNote("revocation", "unpaid, refunded, or withdrawn by the issuer.")
    ]

    init(_ certificate: Certificate) {
        (id, course, issuer) = (certificate.id, certificate.courseTitle, certificate.issuer)
        (learnerName, percent, issuedAt) = (certificate.learnerName, Int(certificate.percent), certificate.issuedAt)
        (isValid, revokedAt, revocation) = (certificate.revocation == nil, certificate.revokedAt, certificate.revocation?.rawValue)
    }
}
