internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// A course as its author writes it.
struct AuthoringPages {
    let billing: Billing
    let desk: ServiceDesk

    private var address: String { "\(desk.courses)/own" }
    private static let certificatesShown = 100

    var endpoints: [Endpoint] {
        [
            .page(.get, "\(address)/{id}", access: desk.write, summary: "Write a course") { call in try await show(call) },
            .page(.post, "\(address)/{id}", access: desk.write, summary: "Change a course", bodyLimit: 1 << 18) { call in
                let id: CourseID = try call.id("id", noun: "course")
                let form = try call.form()
                do {
                    try await act(call, id, form)
                    return .redirect("\(address)/\(id)?done=saved")
                } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) { return try await show(call, form, refusal) }
            }
        ]
    }

    private func act(_ call: EndpointCall, _ id: CourseID, _ form: FormFields) async throws {
        let (tenant, principal) = (desk.side(call), call.principal)
        func named<Thing>(_ noun: String) throws -> ID<Thing> {
            guard let id = ID<Thing>(form["what"]) else { throw Refusal.missing(noun) }
            return id
        }
        switch form["do"] {
        case "terms":
            let body = try CoursePages.terms(form)
            _ = try await billing.changeCourse(id, of: tenant, by: principal) { try body.apply(to: &$0) }
        case "publish": _ = try await billing.publish(id, of: tenant, by: principal)
        case "withdraw": _ = try await billing.withdrawCourse(id, of: tenant, by: principal)
        case "lesson":
            let lesson: LessonID? = form["what"].isEmpty ? nil : try named("lesson")
            _ = try await billing.saveLesson(
                lesson, title: form["lesson_title"], text: form.verbatim("lesson_text"), in: id, of: tenant, by: principal)
        case "remove_lesson": try await billing.removeLesson(try named("lesson"), in: id, of: tenant, by: principal)
        case "question":
            let question: QuestionID? = form["what"].isEmpty ? nil : try named("question")
            let lines = form["options"].split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.filter { !$0.isEmpty }
            let right = lines.indices.filter { lines[$0].hasPrefix("*") }
            _ = try await billing.saveQuestion(
                question, text: form["question"], options: lines.map { String($0.drop { $0 == "*" || $0 == " " }) }, right: Array(right),
                isMultiple: form["is_multiple"] == "yes", in: id, of: tenant, by: principal)
        case "remove_question": try await billing.removeQuestion(try named("question"), in: id, of: tenant, by: principal)
        case "revoke": _ = try await billing.revoke(try named("certificate"), in: id, of: tenant, by: principal)
        default: throw Refusal.missing("action")
        }
    }

    private func show(_ call: EndpointCall, _ form: FormFields? = nil, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let id: CourseID = try call.id("id", noun: "course")
        let authored = try await billing.authored(id, by: desk.side(call))
        let course = authored.course
        let known: [String] = form?["do"] == "terms" ? CoursePages.termFields : []
        let fault = Console.notice(refusal?.message(besides: known))
        let notice = Console.notice(call.parameter(ofQuery: "done") == "saved" ? text("billing.done.saved") : nil, isBad: false)
        let sale: HTML =
            course.status == .published
            ? "<button class=\"button\" name=\"do\" value=\"withdraw\">\(text("billing.course.withdraw"))</button>"
            : "<button class=\"button primary\" name=\"do\" value=\"publish\">\(text("billing.course.publish"))</button>"
        func failed(_ action: String) -> FormFields? { form?["do"] == action ? form : nil }
        let lessons: [HTML] = authored.lessons.map { lesson in
            lessonForm(text, id, lesson, failed("lesson").flatMap { $0["what"] == lesson.id.description ? $0 : nil })
        }
        let questions: [HTML] = authored.questions.map { question in
            questionForm(text, id, question, failed("question").flatMap { $0["what"] == question.id.description ? $0 : nil })
        }
        return try await desk.page(
            call, title: course.title, current: desk.courses, crumb: desk.back(text, to: desk.courses, "billing.settings.courses"),
            status: refusal?.kind.status ?? 200,
            """
            \(notice)\(fault)<section class="card stack"><dl class="facts"><div><dt>\(text("billing.column.status"))</dt><dd>\(text("billing.course.status.\(course.status.rawValue)"))</dd></div>
            <div><dt>\(text("billing.course.lessons"))</dt><dd>\(authored.lessons.count)</dd></div><div><dt>\(text("billing.course.bank"))</dt><dd>\(authored.questions.count)</dd></div></dl>
            \(opening(id))<p class="buttons">\(sale)</p></form></section>
            <h2>\(text("billing.course.lessons"))</h2><section class="card stack">\(lessons)\(lessonForm(text, id, nil, failed("lesson").flatMap { $0["what"].isEmpty ? $0 : nil }))</section>
            <h2>\(text("billing.course.bank"))</h2><section class="card stack">\(questions)\(questionForm(text, id, nil, failed("question").flatMap { $0["what"].isEmpty ? $0 : nil }))</section>
            <h2>\(text("billing.course.terms"))</h2><section class="card stack">\(opening(id))\(CoursePages.termsForm(text, course, failed("terms"), refusal))
            <p class="buttons"><button class="button" name="do" value="terms">\(text("billing.save"))</button></p></form></section>
            \(try await certificates(text, call, id))
            """)
    }

    private func opening(_ id: CourseID) -> HTML { "<form method=\"post\" action=\"\(href: "\(address)/\(id)")\" class=\"form\">" }

    private func buttons(_ text: Localizer, _ noun: String, isNew: Bool) -> HTML {
        let remove: HTML? =
            isNew ? nil : "<button class=\"button\" name=\"do\" value=\"remove_\(noun)\" formnovalidate>\(text("billing.course.remove"))</button>"
        return "<p class=\"buttons\"><button class=\"button\" name=\"do\" value=\"\(noun)\">\(text("billing.save"))</button>\(remove)</p>"
    }

    /// Ids of the fields differ from form to form.
    private func input(_ name: String, _ key: String, _ label: String, _ value: String, rows: Int = 1, hint: String? = nil) -> HTML {
        let id = "\(name)-\(key)"
        let note: HTML? = hint.map { "<span class=\"hint\" id=\"\(id)-hint\">\($0)</span>" }
        let described: HTML? = hint.map { _ in " aria-describedby=\"\(id)-hint\"" }
        let control: HTML =
            rows == 1
            ? "<input id=\"\(id)\" name=\"\(name)\" value=\"\(value)\" required autocomplete=\"off\"\(described)>"
            : "<textarea id=\"\(id)\" name=\"\(name)\" rows=\"\(rows)\" required\(described)>\n\(value)</textarea>"
        return "<div class=\"field\"><label for=\"\(id)\">\(label)</label>\(control)\(note)</div>"
    }

    private func lessonForm(_ text: Localizer, _ id: CourseID, _ lesson: Lesson?, _ form: FormFields?) -> HTML {
        let key = lesson?.id.description ?? "new"
        return """
            <details\("open", if: form != nil)><summary>\(lesson?.title ?? text("billing.course.lesson.add"))</summary>\(opening(id))<input type="hidden" name="what" value="\(lesson?.id.description ?? "")">
            \(input("lesson_title", key, text("billing.consulting.title"), form?["lesson_title"] ?? lesson?.title ?? ""))
            \(input("lesson_text", key, text("billing.course.lesson.text"), form?.verbatim("lesson_text") ?? lesson?.text ?? "", rows: 10, hint: text("billing.course.lesson.text.hint")))
            \(buttons(text, "lesson", isNew: lesson == nil))</form></details>
            """
    }

    private func questionForm(_ text: Localizer, _ id: CourseID, _ question: Question?, _ form: FormFields?) -> HTML {
        let key = question?.id.description ?? "new"
        let options = question.map { known in
            known.options.enumerated().map { "\(known.right.contains($0.offset) ? "* " : "")\($0.element)" }.joined(separator: "\n")
        }
        let isMultiple = form.map { $0["is_multiple"] == "yes" } ?? question?.isMultiple ?? false
        return """
            <details\("open", if: form != nil)><summary>\(question?.text ?? text("billing.course.question.add"))</summary>\(opening(id))<input type="hidden" name="what" value="\(question?.id.description ?? "")">
            \(input("question", key, text("billing.course.question"), form?["question"] ?? question?.text ?? ""))
            \(input("options", key, text("billing.course.options"), form?["options"] ?? options ?? "", rows: 5, hint: text("billing.course.options.hint")))
            \(Console.tick("is_multiple", value: "yes", label: text("billing.course.question.multiple"), isTicked: isMultiple))
            \(buttons(text, "question", isNew: question == nil))</form></details>
            """
    }

    private func certificates(_ text: Localizer, _ call: EndpointCall, _ id: CourseID) async throws -> HTML? {
        let all = try await billing.certificates(of: id, by: desk.side(call), before: nil, limit: Self.certificatesShown)
        if all.isEmpty { return nil }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.certificate.of"), nil), (text("billing.certificate.at"), nil), (text("billing.column.status"), nil), ("", "actions")
        ]
        let rows: [HTML] = all.sorted { $0.issuedAt > $1.issuedAt }.map { one in
            let state = text(one.revocation.map { "billing.certificate.state.\($0.rawValue)" } ?? "billing.certificate.badge.valid")
            let revoke: HTML? =
                one.revocation == .withdrawn
                ? nil
                : Console.confirmed(
                    text, id: "revoke-\(one.id)", action: "\(address)/\(id)", label: text("billing.certificate.revoke"),
                    question: text("billing.certificate.revoke.question"),
                    fields:
                        "<input type=\"hidden\" name=\"do\" value=\"revoke\"><input type=\"hidden\" name=\"what\" value=\"\(one.id.description)\">")
            return """
                <tr><td class="name"><a href="\(href: "\(CertificatePages.address)/\(one.id)")">\(one.learnerName)</a></td><td>\(Console.time(one.issuedAt))</td><td>\(state)</td><td class="actions">\(revoke)</td></tr>
                """
        }
        return "<h2>\(text("billing.certificates"))</h2><section class=\"card\">\(Console.table(columns, rows))</section>"
    }
}
