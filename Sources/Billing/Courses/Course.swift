internal import Kernel
internal import Tenancy

enum CourseTag {}
typealias CourseID = ID<CourseTag>
enum LessonTag {}
typealias LessonID = ID<LessonTag>
enum QuestionTag {}
typealias QuestionID = ID<QuestionTag>

/// A course with an exam: sold by a tenant, or by the operator under the platform's own name.
struct Course: Sendable, Hashable {
    enum Status: String, Sendable, Hashable, Codable, CaseIterable { case draft, published, withdrawn }

    var id: CourseID
    /// The platform's own id where its operator is the author.
    var author: TenantID
    var title: String
    var summary: String
    var currency: String
    /// For one person, without tax, in minor units.
    var price: Int64
    var exam: ExamRules
    var status: Status = .draft
    var madeAt: Timestamp

    static let prices: ClosedRange<Int64> = 29_900...199_900
    /// Of an author.
    static let maximum = 200
    static let lessonsMaximum = 100
    static let questionsMaximum = 500

    /// - Throws: `out_of_range`, `unknown_currency`
    func checked() throws -> Course {
        _ = try AmountBounds.checkedCurrency(currency)
        try ServiceBounds.check(title, "title", 1...200)
        try ServiceBounds.check(summary, "summary", 0...4_000)
        try ServiceBounds.check(price, "price", Self.prices)
        try exam.check()
        return self
    }

    /// - Throws: `course_incomplete`
    mutating func publish(lessons: Int, questions: Int) throws {
        guard lessons > 0, questions >= exam.questions else {
            throw Refusal(
                .conflict, "course_incomplete", "A course has lessons, and at least as many questions in its bank as an exam asks.")
        }
        status = .published
    }
}

/// How an exam is taken.
struct ExamRules: Sendable, Hashable {
    /// Drawn of the bank for each attempt.
    var questions: Int64
    /// Of the questions, to pass.
    var passPercent: Int64
    var attempts: Int64
    /// Between a failed attempt and the next.
    var pauseMinutes: Int64

    func check() throws {
        try ServiceBounds.check(questions, "exam_questions", 1...100)
        try ServiceBounds.check(passPercent, "pass_percent", 1...100)
        try ServiceBounds.check(attempts, "attempts", 1...20)
        try ServiceBounds.check(pauseMinutes, "pause_minutes", 0...43_200)
    }
}

struct Lesson: Sendable, Hashable {
    var id: LessonID
    var course: CourseID
    /// In the order of the course.
    var place: Int64
    var title: String
    /// Markdown.
    var text: String

    static let textMaximum = 60_000

    func checked() throws -> Lesson {
        try ServiceBounds.check(title, "title", 1...200)
        try ServiceBounds.check(text, "text", 1...Self.textMaximum)
        return self
    }
}

/// A question of a course's bank.
struct Question: Sendable, Hashable {
    var id: QuestionID
    var course: CourseID
    var text: String
    var options: [String]
    /// Places of the right options.
    var right: [Int]
    var isMultiple: Bool

    static let options = 2...10

    /// - Throws: `out_of_range`, `wrong_answers` for right options that there are not, or not one of a single choice.
    func checked() throws -> Question {
        try ServiceBounds.check(text, "text", 1...1_000)
        guard Self.options.contains(options.count), Set(options).count == options.count else {
            throw Refusal.invalid(
                "options", "out_of_range", "A question has \(Self.options.lowerBound) to \(Self.options.upperBound) different options.")
        }
        for option in options { try ServiceBounds.check(option, "options", 1...500) }
        var checked = self
        checked.right = Set(right).sorted()
        guard !checked.right.isEmpty, checked.right.allSatisfy(options.indices.contains), isMultiple || checked.right.count == 1 else {
            throw Refusal.invalid("right", "wrong_answers", "right names options by their places from 0: one of a single choice, at least one else.")
        }
        return checked
    }
}
