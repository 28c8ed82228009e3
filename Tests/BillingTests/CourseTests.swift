import Glibc
import HTTPSurface
import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// Courses: what is paid can be learned, the exam is drawn and marked on the server alone, and a certificate lives as long as what it was paid with.
@Suite(.timeLimit(.minutes(5))) struct CourseTests {
    /// A published course with two lessons and a bank of six, of which three are asked; the right option is the first, or the first two.
    private func course(_ harness: BillingHarness, _ author: TenantID, attempts: Int64 = 3, pause: Int64 = 60) async throws -> Course {
        let billing = harness.billing
        let made = try await billing.makeCourse(of: author, by: harness.ana) { id, now in
            Course(
                id: id, author: author, title: "Building agents", summary: "", currency: "USD", price: 49_900,
                exam: ExamRules(questions: 3, passPercent: 66, attempts: attempts, pauseMinutes: pause), madeAt: now)
        }
        #expect(try await refusal { try await billing.publish(made.id, of: author, by: harness.ana) } == "course_incomplete")
        for title in ["One", "Two"] {
            _ = try await billing.saveLesson(nil, title: title, text: "# \(title)", in: made.id, of: author, by: harness.ana)
        }
        for number in 0..<6 {
            _ = try await billing.saveQuestion(
                nil, text: "Question \(number)", options: ["good", "also", "bad", "worse"], right: number % 2 == 0 ? [0] : [0, 1],
                isMultiple: number % 2 == 1, in: made.id, of: author, by: harness.ana)
        }
        return try await billing.publish(made.id, of: author, by: harness.ana)
    }

    private func answers(_ attempt: Attempt, wrong: Int = 0) -> [[Int]] {
        attempt.paper.enumerated().map { place, question in place < wrong ? [] : question.right }
    }

    private func readAll(_ harness: BillingHarness, _ enrolment: Enrolment) async throws {
        for lesson in try await harness.billing.learning(enrolment.id, of: harness.id).lessons {
            _ = try await harness.billing.finish(lesson.id, of: enrolment.id, in: harness.id, by: harness.ana)
        }
    }

    private func bought(_ harness: BillingHarness, _ course: Course) async throws -> (Enrolment, Invoice) {
        let enrolment = try await harness.billing.enrol(nil, name: "Ana Example", in: course.id, of: harness.id, by: harness.ana)
        let invoice = try await harness.billing.invoice(enrolment.invoice, of: harness.id)
        if invoice.due > 0 { _ = try await harness.pay(invoice.due, reference: "P\(invoice.number)", for: invoice) }
        return (enrolment, invoice)
    }

    @Test(arguments: DatabaseEngine.allCases) func `a course is bought, learned, failed, passed and certified, until it is refunded`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            let (billing, id, ana) = (harness.billing, harness.id, harness.ana)
            let seller = try await harness.seller("sel")
            let course = try await course(harness, seller)
            func enrol() async throws -> Enrolment { try await billing.enrol(nil, name: "Ana Example", in: course.id, of: id, by: ana) }
            #expect(try await refusal { try await enrol() } == "profile_required")
            try await harness.profile("DE")
            let enrolment = try await enrol()
            #expect(try await refusal { try await enrol() } == "already_enrolled")
            let invoice = try await billing.invoice(enrolment.invoice, of: id)
            #expect(invoice.subtotal == 49_900 && invoice.tax == 9_481)
            let lesson = try await billing.learning(enrolment.id, of: id).lessons[0]
            #expect(try await refusal { try await billing.lesson(lesson.id, of: enrolment.id, in: id, by: ana) } == "course_unpaid")
            _ = try await harness.pay(invoice.total, reference: "B1", for: invoice)
            #expect(try await billing.earnings(of: seller).first?.sales == 34_930)

            // Somebody else of the tenant does not learn in her place.
            let other = Principal(actor: .user(UserID(high: 1, low: 1)), tenant: id, role: .owner, permissions: ana.permissions)
            #expect(try await refusal { try await billing.lesson(lesson.id, of: enrolment.id, in: id, by: other) } == "not_the_learner")
            #expect(try await refusal { try await billing.beginExam(of: enrolment.id, in: id, by: ana) } == "lessons_open")
            try await readAll(harness, enrolment)
            try await readAll(harness, enrolment)
            let first = try await billing.beginExam(of: enrolment.id, in: id, by: ana)
            #expect(try await billing.beginExam(of: enrolment.id, in: id, by: ana) == first)
            #expect(first.paper.count == 3)
            #expect(
                try await refusal { try await billing.handIn(first.id, [[9]], of: enrolment.id, in: id, by: ana) } == "wrong_answers")
            let failed = try await billing.handIn(first.id, answers(first, wrong: 2), of: enrolment.id, in: id, by: ana)
            #expect(!failed.attempt.hasPassed && failed.attempt.percent == 33 && failed.certificate == nil)
            #expect(
                try await refusal { try await billing.handIn(first.id, answers(first), of: enrolment.id, in: id, by: ana) } == "already_marked")
            #expect(try await refusal { try await billing.beginExam(of: enrolment.id, in: id, by: ana) } == "exam_pause")
            harness.lease.clock.advance(by: .seconds(3_600))
            let second = try await billing.beginExam(of: enrolment.id, in: id, by: ana)
            #expect(second.number == 2)
            // Two of three are 66.7%, and 66 are asked.
            let passed = try await billing.handIn(second.id, answers(second, wrong: 1), of: enrolment.id, in: id, by: ana)
            let certificate = try #require(passed.certificate)
            #expect(passed.attempt.hasPassed && certificate.percent == 66 && certificate.issuer == "sel")
            #expect(try await refusal { try await billing.beginExam(of: enrolment.id, in: id, by: ana) } == "already_passed")
            #expect(try await billing.certificate(certificate.id).revocation == nil)

            // A part that goes back changes nothing; all of it takes the certificate back, and the course can be bought again.
            _ = try await billing.credit(invoice.id, 100, to: .wallet, of: id, by: ana)
            #expect(try await billing.certificate(certificate.id).revocation == nil)
            _ = try await billing.credit(invoice.id, invoice.total - 100, to: .wallet, of: id, by: ana)
            #expect(try await billing.certificate(certificate.id).revocation == .refunded)
            #expect(try await refusal { try await billing.lesson(lesson.id, of: enrolment.id, in: id, by: ana) } == "course_unpaid")
            #expect(try await billing.earnings(of: seller).first?.sales == 0)
            #expect(try await enrol().id != enrolment.id)
            try await harness.check("at the end")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a disputed payment rests the course and its certificate until it is won`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let (billing, id, ana) = (harness.billing, harness.id, harness.ana)
            let course = try await course(harness, Tenancy.platformLog)
            let (enrolment, invoice) = try await bought(harness, course)
            try await readAll(harness, enrolment)
            let attempt = try await billing.beginExam(of: enrolment.id, in: id, by: ana)
            let certificate = try #require(
                try await billing.handIn(attempt.id, answers(attempt), of: enrolment.id, in: id, by: ana).certificate)
            #expect(certificate.issuer == "Flows GmbH")
            for (told, wanted) in [
                (Till.DisputeOutcome.opened, Certificate.Revocation.unpaid as Certificate.Revocation?), (.won, nil)
            ] {
                try await billing.atTill(of: id) { till in try till.dispute("P\(invoice.number)", at: "bank", told, fee: 0) }
                #expect(try await billing.certificate(certificate.id).revocation == wanted)
                #expect(try await billing.learning(enrolment.id, of: id).access == (wanted == nil ? .open : .unpaid))
            }
            // What the author takes back stays so.
            let stranger = try await harness.seller("other")
            #expect(
                try await refusal { try await billing.revoke(certificate.id, in: course.id, of: stranger, by: ana) } == "not_found")
            _ = try await billing.revoke(certificate.id, in: course.id, of: Tenancy.platformLog, by: ana)
            try await billing.atTill(of: id) { till in
                try till.settleEnrolments(of: try #require(try till.invoices.invoice(invoice.id)))
            }
            #expect(try await billing.certificate(certificate.id).revocation == .withdrawn)
            try await harness.check("at the end")
        }
    }

    @Test func `a course is bought once, and attempts are counted, also where several ask at once`() async throws {
        try await withBilling(.postgres) { harness in
            try await harness.profile()
            let (billing, id, ana) = (harness.billing, harness.id, harness.ana)
            let seller = try await harness.seller("sel")
            let course = try await course(harness, seller, attempts: 2, pause: 0)
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await refusal { try await billing.enrol(nil, name: "Ana", in: course.id, of: id, by: ana) } ?? "done" }
                }
                return try await group.reduce(into: []) { $0.append($1) }.sorted()
            }
            #expect(outcomes == ["already_enrolled", "already_enrolled", "already_enrolled", "done"])
            let enrolment = try #require(try await billing.enrolments(of: id, before: nil, limit: 9).first).enrolment
            let invoice = try await billing.invoice(enrolment.invoice, of: id)
            _ = try await harness.pay(invoice.due, reference: "P", for: invoice)
            try await readAll(harness, enrolment)
            for number in 1...2 as ClosedRange<Int64> {
                let begun = try await withThrowingTaskGroup(of: Attempt.self) { group in
                    for _ in 0..<4 { group.addTask { try await billing.beginExam(of: enrolment.id, in: id, by: ana) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(begun.map(\.id)).count == 1 && begun[0].number == number)
                _ = try await billing.handIn(begun[0].id, [], of: enrolment.id, in: id, by: ana)
            }
            #expect(try await refusal { try await billing.beginExam(of: enrolment.id, in: id, by: ana) } == "attempts_used")
        }
    }

    @Test func `a course keeps its currency when its author changes the terms on the page`() async throws {
        try await withBilling { harness in
            let author = try await harness.seller("sel")
            let made = try await harness.billing.makeCourse(of: author, by: harness.ana) { id, now in
                Course(
                    id: id, author: author, title: "Agents", summary: "", currency: "EUR", price: 49_900,
                    exam: ExamRules(questions: 3, passPercent: 66, attempts: 3, pauseMinutes: 60), madeAt: now)
            }
            let sela = try await BillingHarness.owner(of: try #require(try await harness.tenancy.tenant(author)), harness.tenancy)
            let (surface, place) = (try harness.surface(as: sela), "/settings/courses/own/\(made.id)")
            let page = try await surface.answer(LocalRequest("GET", place)).text
            #expect(page.contains(#"name="currency" value="EUR""#) && page.contains("Price for a person in EUR"), "\(page)")
            let form = "do=terms&title=More&price=599.00&currency=EUR&exam_questions=3&pass_percent=66&attempts=3&pause_minutes=60"
            let answer = try await surface.answer(
                LocalRequest("POST", place, headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8)))
            #expect(answer.status == 303, "\(answer.text)")
            let course = try await harness.billing.authored(made.id, by: author).course
            #expect(course.title == "More" && course.price == 59_900 && course.currency == "EUR")
        }
    }

    @Test func `who buys pays what was seen, or nothing`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let (billing, ana) = (harness.billing, harness.ana)
            let seller = try await harness.seller("sel")
            let course = try await course(harness, seller)
            _ = try await billing.changeCourse(course.id, of: seller, by: ana) { $0.price = 199_900 }
            let surface = try harness.surface(as: ana)
            func ask(_ path: String, _ kind: String, _ body: String) async throws -> LocalAnswer {
                try await surface.answer(LocalRequest("POST", path, headers: [("Content-Type", kind)], body: Array(body.utf8)))
            }
            func buy(_ seen: String) async throws -> LocalAnswer {
                try await ask(
                    "/settings/courses/market/\(course.id)/purchases", "application/x-www-form-urlencoded", "learner_name=Ana&\(seen)")
            }
            // The page is shown again, with the price that there is now.
            let stale = try await buy("price=49900&currency=USD")
            #expect(stale.status == 409 && stale.text.contains(#"name="price" value="199900""#), "\(stale.text)")
            #expect(try await buy("price=199900&currency=KWD").status == 409)
            let body = #"{"course_id":"\#(course.id)","learner_name":"Ana","price":49900}"#
            #expect(try await ask("/v1/enrolments", "application/json", body).text.contains("price_changed"))
            #expect(try await billing.invoices(of: harness.id, before: nil, limit: 9).isEmpty)
            #expect(try await buy("price=199900&currency=USD").status == 303)
            #expect(try await billing.invoices(of: harness.id, before: nil, limit: 9).map(\.subtotal) == [199_900])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `an exam that has begun is passed by what was asked for when it began`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let (billing, id, ana) = (harness.billing, harness.id, harness.ana)
            let seller = try await harness.seller("sel")
            let course = try await course(harness, seller, pause: 0)
            func bar(_ percent: Int64) async throws {
                _ = try await billing.changeCourse(course.id, of: seller, by: ana) { $0.exam.passPercent = percent }
            }
            let (enrolment, _) = try await bought(harness, course)
            try await readAll(harness, enrolment)
            try await bar(100)
            let hard = try await billing.beginExam(of: enrolment.id, in: id, by: ana)
            try await bar(66)
            #expect(try await !billing.handIn(hard.id, answers(hard, wrong: 1), of: enrolment.id, in: id, by: ana).attempt.hasPassed)
            let fair = try await billing.beginExam(of: enrolment.id, in: id, by: ana)
            try await bar(100)
            #expect(try await billing.handIn(fair.id, answers(fair, wrong: 1), of: enrolment.id, in: id, by: ana).attempt.hasPassed)
        }
    }

    @Test func `an exam is drawn by its seed, and marked by all that is right`() throws {
        let bank = (0..<8).map { number in
            Question(
                id: QuestionID(high: 1, low: UInt64(number)), course: CourseID(high: 0, low: 0), text: "Q\(number)", options: ["a", "b", "c"],
                right: [0, 1], isMultiple: true)
        }
        let paper = Paper.draw(bank, count: 5, seed: 7)
        #expect(paper == Paper.draw(bank.reversed(), count: 5, seed: 7))
        #expect(Set(paper.map(\.text)).count == 5)
        #expect(Set((0..<40).map { Paper.draw(bank, count: 5, seed: $0).map(\.text) }).count > 20)
        for question in paper { #expect(Set(question.right.map { question.options[$0] }) == ["a", "b"]) }
        #expect(try Paper.mark(paper, paper.map(\.right)) == 5)
        // Half of what is right, or more than it, is wrong; so is what was left out.
        #expect(try Paper.mark(paper, [[paper[0].right[0]], [0, 1, 2], paper[2].right.reversed()]) == 1)
    }

    @Test func `a lesson holds no markup but its own`() {
        let html = MarkdownText(
            """
            # Title
            <script>alert(1)</script>

            A <b onclick="x">word</b> and [a link](javascript:alert(1)), [another](https://example.com/?a=1&b=2), ![p](data:text/html,x).

            - one
            - `two <i>`

            ```
            <img src=x onerror=y>
            ```
            """
        ).html.text
        #expect(html.contains("<h2>Title</h2>") && html.contains("<ul><li>one</li>") && html.contains("<code>two &lt;i&gt;</code>"))
        #expect(html.contains("href=\"https://example.com/?a=1&amp;b=2\""))
        for bad in ["<script", "<b ", "<img", "javascript:", "data:"] { #expect(!html.contains(bad), "\(bad) in \(html)") }
    }

    @Test func `ten times as long a lesson takes about ten times as long`() {
        // Each mark is a quotation within the last: as many parts of a page as a lesson can have.
        // What this thread has worked, whatever else the machine does meanwhile.
        func worked() -> Duration {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Duration.seconds(time.tv_sec) + Duration.nanoseconds(time.tv_nsec)
        }
        func time(_ marks: Int) -> Duration {
            let text = String(repeating: "> ", count: marks) + "x"
            let times = (0..<3).map { _ -> Duration in
                let before = worked()
                #expect(MarkdownText(text).html.text.hasSuffix("</blockquote>"))
                return worked() - before
            }
            return times.min() ?? .zero
        }
        let (short, long) = (time(Lesson.textMaximum / 20 - 1), time(Lesson.textMaximum / 2 - 1))
        #expect(long < short * 40, "\(short), \(long)")
    }

    @Test(arguments: DatabaseEngine.allCases) func `the right answers are shown to the author alone, and nothing to other tenants`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let author = try await harness.seller("sel")
            let course = try await course(harness, author)
            let (enrolment, _) = try await bought(harness, course)
            try await readAll(harness, enrolment)
            let sela = try await BillingHarness.owner(of: try #require(try await harness.tenancy.tenant(author)), harness.tenancy)
            let json = [("Content-Type", "application/json")]
            func ask(_ person: Principal, _ method: String, _ path: String, _ body: String = "") async throws -> LocalAnswer {
                try await harness.surface(as: person).answer(LocalRequest(method, path, headers: json, body: Array(body.utf8)))
            }
            let begun = try await ask(harness.ana, "POST", "/v1/enrolments/\(enrolment.id)/attempts")
            #expect(begun.status == 201 && begun.text.contains("Question") && !begun.text.contains(#""right""#), "\(begun.text)")
            let learning = try await harness.billing.learning(enrolment.id, of: harness.id)
            let attempt = try #require(learning.attempts.first)
            let place = "/v1/enrolments/\(enrolment.id)"
            #expect(try await ask(harness.ana, "GET", "\(place)/attempts/\(attempt.id)").text.contains(#""right""#) == false)
            for path in [place, "\(place)/attempts/\(attempt.id)", "\(place)/lessons/\(learning.lessons[0].id)"] {
                #expect(try await ask(sela, "GET", path).status == 404, "\(path)")
            }
            #expect(try await ask(sela, "POST", "\(place)/attempts/\(attempt.id)/answers", #"{"answers":[]}"#).status == 404)
            #expect(try await ask(sela, "GET", "/v1/courses/\(course.id)").text.contains(#""right""#))
            for (method, path, body) in [
                ("GET", "/v1/courses/\(course.id)", ""), ("POST", "/v1/courses/\(course.id)/publication", ""),
                ("POST", "/v1/courses/\(course.id)/lessons", #"{"title":"T","text":"x"}"#),
                ("DELETE", "/v1/courses/\(course.id)/lessons/\(learning.lessons[0].id)", ""), ("GET", "/v1/courses/\(course.id)/certificates", "")
            ] { #expect(try await ask(harness.ana, method, path, body).status == 404, "\(method) \(path)") }
            #expect(try await harness.billing.course(course.id, for: author).lessons.count == 2)
            // A draft is on no market.
            let draft = try await ask(
                sela, "POST", "/v1/courses", #"{"title":"Secret draft","price":29900,"exam_questions":1}"#)
            #expect(draft.status == 201)
            #expect(try await ask(harness.ana, "GET", "/v1/course-market").text.contains("Secret draft") == false)
            let dear = try await ask(sela, "POST", "/v1/courses", #"{"title":"T","price":199901,"exam_questions":1}"#)
            #expect(dear.status == 422)
        }
    }
}
