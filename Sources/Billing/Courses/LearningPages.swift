internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// A course as its learner goes through it.
struct LearningPages {
    let billing: Billing
    let context: BillingPageContext

    static let address = "/settings/courses/learning"
    private static let courses = "/settings/courses"

    var endpoints: [Endpoint] {
        let read = Access.tenant(.servicesRead)
        return [
            .page(.get, "\(Self.address)/{id}", access: read, summary: "A course that was bought") { call in try await show(call) },
            .page(.get, "\(Self.address)/{id}/lessons/{lesson}", access: read, summary: "A lesson") { call in try await lesson(call) },
            .page(.post, "\(Self.address)/{id}/lessons/{lesson}", access: read, summary: "Go on from a lesson") { call in
                let (id, lesson) = (try enrolmentID(call), try call.id("lesson", of: LessonTag.self, noun: "lesson"))
                do {
                    let learning = try await billing.finish(lesson, of: id, in: call.tenant, by: call.principal)
                    let next = learning.lessons.drop { $0.id != lesson }.dropFirst().first
                    return .redirect(next.map { "\(Self.address)/\(id)/lessons/\($0.id)" } ?? "\(Self.address)/\(id)")
                } catch let refusal as Refusal where [.conflict, .forbidden].contains(refusal.kind) { return try await show(call, refusal) }
            },
            .page(.post, "\(Self.address)/{id}/attempts", access: read, summary: "Begin the exam") { call in
                let id = try enrolmentID(call)
                do {
                    let attempt = try await billing.beginExam(of: id, in: call.tenant, by: call.principal)
                    return .redirect("\(Self.address)/\(id)/attempts/\(attempt.id)")
                } catch let refusal as Refusal where [.conflict, .forbidden].contains(refusal.kind) { return try await show(call, refusal) }
            },
            .page(.get, "\(Self.address)/{id}/attempts/{attempt}", access: read, summary: "The exam") { call in try await exam(call) },
            .page(.post, "\(Self.address)/{id}/attempts/{attempt}", access: read, summary: "Hand the exam in") { call in
                let (id, attempt) = (try enrolmentID(call), try call.id("attempt", of: AttemptTag.self, noun: "attempt"))
                let form = try call.form()
                do {
                    let known = try await billing.attempt(attempt, of: id, in: call.tenant, by: call.principal).0
                    let answers = known.paper.indices.map { place in
                        form.pairs.filter { $0.name == "q-\(place)" }.compactMap { Int($0.value) }
                    }
                    _ = try await billing.handIn(attempt, answers, of: id, in: call.tenant, by: call.principal)
                    return .redirect("\(Self.address)/\(id)?done=marked")
                } catch let refusal as Refusal where [.conflict, .forbidden].contains(refusal.kind) { return try await show(call, refusal) }
            }
        ]
    }

    private func enrolmentID(_ call: EndpointCall) throws -> EnrolmentID { try call.id("id", noun: "enrolment") }

    static func status(_ text: Localizer, _ learning: Learning) -> HTML {
        if learning.access != .open {
            return
                "<span class=\"status \(learning.access == .unpaid ? "waiting" : "failed")\">\(text("billing.course.access.\(learning.access.rawValue)"))</span>"
        }
        if learning.certificate != nil { return "<span class=\"status succeeded\">\(text("billing.course.passed"))</span>" }
        return "<span class=\"status running\">\(text("billing.course.under_way"))</span>"
    }

    private func show(_ call: EndpointCall, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let id = try enrolmentID(call)
        let learning = try await billing.learning(id, of: call.tenant)
        let isLearner = call.principal.actor == .user(learning.enrolment.learner)
        let fault = Console.notice(refusal?.message)
        let last = learning.attempts.last { $0.markedAt != nil }
        let done: String? =
            switch call.parameter(ofQuery: "done") {
            case "bought": text("billing.course.done.bought")
            case "marked" where last?.hasPassed == true: text("billing.course.done.passed")
            default: nil
            }
        let failed: HTML? =
            call.parameter(ofQuery: "done") == "marked" && last?.hasPassed == false
            ? Console.notice(text("billing.course.done.failed", ["percent": String(last?.percent ?? 0)])) : nil
        let unpaid: HTML? =
            learning.access == .unpaid
            ? """
            <section class="card stack"><p>\(text("billing.course.unpaid"))</p><p class="buttons"><a class="button primary" href="\(href: "\(BillingPages.address)/invoices/\(learning.enrolment.invoice)")">\(text("billing.consulting.see_invoice"))</a></p></section>
            """ : nil
        let lessons: [HTML] = learning.lessons.map { lesson in
            let mark: HTML? =
                learning.done.contains(lesson.id) ? " <span class=\"status succeeded\">\(text("billing.course.lesson.done"))</span>" : nil
            let title: HTML =
                isLearner && learning.access == .open
                ? "<a href=\"\(href: "\(Self.address)/\(id)/lessons/\(lesson.id)")\">\(lesson.title)</a>" : "\(lesson.title)"
            return "<li>\(title)\(mark)</li>"
        }
        return try await context.page(
            call, title: learning.course.title, current: Self.courses,
            crumb: "<p class=\"crumb\"><a href=\"\(Self.courses)\">\(text("billing.settings.courses"))</a></p>", status: refusal?.kind.status ?? 200,
            """
            \(Console.notice(done, isBad: false))\(failed)\(fault)<section class="card"><dl class="facts"><div><dt>\(text("billing.column.status"))</dt><dd>\(Self.status(text, learning))</dd></div>
            <div><dt>\(text("billing.course.learner"))</dt><dd>\(learning.enrolment.learnerName)</dd></div>
            <div><dt>\(text("billing.course.progress"))</dt><dd>\(learning.lessonsDone) / \(learning.lessons.count)</dd></div></dl></section>\(unpaid)
            \(certificate(text, learning))<section class="card stack"><h2>\(text("billing.course.lessons"))</h2><ol class="lessons">\(lessons)</ol></section>
            \(examCard(text, learning, isLearner: isLearner))
            """)
    }

    private func certificate(_ text: Localizer, _ learning: Learning) -> HTML? {
        guard let certificate = learning.certificate else { return nil }
        let address = "\(CertificatePages.address)/\(certificate.id)"
        return """
            <section class="card stack"><h2>\(text("billing.certificate"))</h2><p>\(text("billing.certificate.share"))</p>
            <p>\(Console.copyable(text, id: "certificate-link", "\(billing.providers.publicURL)\(address)"))</p>
            <p class="buttons"><a class="button" href="\(href: address)">\(text("billing.certificate.see"))</a><a class="button" href="\(href: "\(address)/badge.svg")">\(text("billing.certificate.badge"))</a></p></section>
            """
    }

    private func examCard(_ text: Localizer, _ learning: Learning, isLearner: Bool) -> HTML {
        let exam = learning.course.exam
        let rules = text(
            "billing.course.exam.rules",
            ["questions": String(exam.questions), "percent": String(exam.passPercent), "attempts": String(exam.attempts)])
        let columns: [(title: String, kind: String?)] = [
            (text("billing.course.attempt"), nil), (text("billing.sales.at"), nil), (text("billing.course.result"), "number")
        ]
        let rows: [HTML] = learning.attempts.filter { $0.markedAt != nil }.map { attempt in
            """
            <tr><td class="name">\(attempt.number)</td><td>\(Console.time(attempt.markedAt ?? attempt.startedAt))</td>
            <td class="number" data-label="\(columns[2].title)">\(attempt.percent ?? 0) %, \(text(attempt.hasPassed ? "billing.course.passed" : "billing.course.failed"))</td></tr>
            """
        }
        let table: HTML? = rows.isEmpty ? nil : Console.table(columns, rows)
        let hasPassed = learning.attempts.contains(where: \.hasPassed)
        let begin: HTML? =
            isLearner && learning.access == .open && !hasPassed
            ? (learning.hasReadAll
                ? """
                <form method="post" action="\(href: "\(Self.address)/\(learning.enrolment.id)/attempts")"><p class="buttons"><button class="button primary">\(text(learning.attempts.last.map { $0.markedAt == nil } == true ? "billing.course.exam.go_on" : "billing.course.exam.begin"))</button></p></form>
                """ : "<p class=\"sub\">\(text("billing.course.exam.after"))</p>") : nil
        return "<section class=\"card stack\"><h2>\(text("billing.course.exam"))</h2><p>\(rules)</p>\(table)\(begin)</section>"
    }

    private func lesson(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let id = try enrolmentID(call)
        do {
            let (lesson, learning) = try await billing.lesson(
                try call.id("lesson", noun: "lesson"), of: id, in: call.tenant, by: call.principal)
            let isLast = learning.lessons.last?.id == lesson.id
            return try await context.page(
                call, title: lesson.title, current: Self.courses, crumb: crumb(learning),
                """
                <article class="card stack prose">\(MarkdownText(lesson.text).html)</article>
                <form method="post" action="\(href: "\(Self.address)/\(id)/lessons/\(lesson.id)")"><p class="buttons"><button class="button primary">\(text(isLast ? "billing.course.lesson.finish" : "billing.course.lesson.next"))</button></p></form>
                """)
        } catch let refusal as Refusal where [.conflict, .forbidden].contains(refusal.kind) { return try await show(call, refusal) }
    }

    private func crumb(_ learning: Learning) -> HTML {
        "<p class=\"crumb\"><a href=\"\(href: "\(Self.address)/\(learning.enrolment.id)")\">\(learning.course.title)</a></p>"
    }

    private func exam(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let id = try enrolmentID(call)
        let (attempt, learning) = try await billing.attempt(
            try call.id("attempt", noun: "attempt"), of: id, in: call.tenant, by: call.principal)
        guard attempt.markedAt == nil else { return .redirect("\(Self.address)/\(id)") }
        let questions: [HTML] = attempt.paper.enumerated().map { place, question in
            let options: [HTML] = question.options.enumerated().map { option, title in
                """
                <label class="tick"><input type="\(question.isMultiple ? "checkbox" : "radio")" name="q-\(place)" value="\(option)"><span>\(title)</span></label>
                """
            }
            let hint: HTML? = question.isMultiple ? "<span class=\"hint\">\(text("billing.course.exam.multiple"))</span>" : nil
            return "<fieldset class=\"question\"><legend>\(place + 1). \(question.text)</legend>\(hint)\(options)</fieldset>"
        }
        return try await context.page(
            call, title: text("billing.course.exam.title", ["number": String(attempt.number)]), current: Self.courses, crumb: crumb(learning),
            """
            <section class="card stack"><form method="post" action="\(href: "\(Self.address)/\(id)/attempts/\(attempt.id)")" class="form exam">\(questions)
            <p class="buttons"><button class="button primary">\(text("billing.course.exam.hand_in"))</button></p></form></section>
            """)
    }
}
