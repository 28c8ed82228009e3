internal import Kernel

/// One question as it stands in an exam: with its options in the order drawn, and the right ones, which leave the server for nobody.
struct PaperQuestion: Sendable, Hashable, Codable {
    var text: String
    var options: [String]
    var right: [Int]
    var isMultiple: Bool
}

/// What is asked in one attempt. It is kept as it was drawn, so that changes of the bank change no exam that has begun.
enum Paper {
    /// Draws of a bank: the same bank and seed give the same paper.
    static func draw(_ bank: [Question], count: Int, seed: Int64) -> [PaperQuestion] {
        var random = SplitMix(state: UInt64(bitPattern: seed))
        var left = bank.sorted { $0.id < $1.id }
        left.shuffle(using: &random)
        return left.prefix(count).map { question in
            let order = question.options.indices.shuffled(using: &random)
            return PaperQuestion(
                text: question.text, options: order.map { question.options[$0] },
                right: order.indices.filter { question.right.contains(order[$0]) }, isMultiple: question.isMultiple)
        }
    }

    /// How many are answered with the right options and no other.
    /// - Throws: `wrong_answers` for more answers than questions, or an option that there is not.
    static func mark(_ paper: [PaperQuestion], _ answers: [[Int]]) throws -> Int {
        guard answers.count <= paper.count, zip(paper, answers).allSatisfy({ $1.allSatisfy($0.options.indices.contains) }) else {
            throw Refusal.invalid("answers", "wrong_answers", "answers has a list of places from 0 for each question, in their order.")
        }
        return zip(paper, answers).count { Set($0.right) == Set($1) }
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014): small, and the same everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

enum AttemptTag {}
typealias AttemptID = ID<AttemptTag>

/// One go at an exam.
struct Attempt: Sendable, Hashable {
    var id: AttemptID
    var enrolment: EnrolmentID
    /// From 1.
    var number: Int64
    var seed: Int64
    var paper: [PaperQuestion]
    var startedAt: Timestamp
    var markedAt: Timestamp?
    /// How many were right.
    var right: Int64?
    var hasPassed: Bool = false
    /// What was asked for when it began; nil where that was not kept yet.
    var passPercent: Int64?

    var percent: Int64? { right.map { $0 * 100 / Int64(max(paper.count, 1)) } }

    /// - Throws: `already_marked`, `wrong_answers`
    mutating func mark(_ answers: [[Int]], _ rules: ExamRules, at now: Timestamp) throws {
        guard markedAt == nil else { throw Refusal(.conflict, "already_marked", "These answers were marked already.") }
        let count = Int64(try Paper.mark(paper, answers))
        (right, markedAt) = (count, now)
        hasPassed = count * 100 >= (passPercent ?? rules.passPercent) * Int64(paper.count)
    }

    /// The one to go on with, or when the next can be begun.
    /// - Parameter before: all of them, in order.
    /// - Throws: `already_passed`, `attempts_used`, `exam_pause`
    static func next(after before: [Attempt], _ rules: ExamRules, at now: Timestamp) throws -> Attempt? {
        if let open = before.last, open.markedAt == nil { return open }
        if before.contains(where: \.hasPassed) { throw Refusal(.conflict, "already_passed", "The exam is passed.") }
        guard before.count < rules.attempts else { throw Refusal(.conflict, "attempts_used", "All attempts are used.") }
        if let last = before.last?.markedAt, now < last + .seconds(rules.pauseMinutes * 60) {
            throw Refusal(
                .conflict, "exam_pause", "The next attempt can begin at \((last + .seconds(rules.pauseMinutes * 60)).description.prefix(16))Z.")
        }
        return nil
    }
}
