internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// Courses for who buys, learns and writes them.
struct CoursePages {
    let billing: Billing
    let desk: ServiceDesk

    private var address: String { desk.courses }
    private static let rowsShown = 50
    static let termFields = ["title", "summary", "price", "exam_questions", "pass_percent", "attempts", "pause_minutes"]

    var endpoints: [Endpoint] {
        let written: [Endpoint] = [
            .page(.get, address, access: desk.read, summary: "Courses") { call in try await overview(call) },
            .page(.post, "\(address)/own", access: desk.write, summary: "Make a course") { call in
                let form = try call.form()
                let author = desk.side(call)
                do {
                    let body = try Self.terms(form)
                    let made = try await billing.makeCourse(of: author, by: call.principal) { id, now in try body.course(id, of: author, at: now) }
                    return .redirect("\(address)/own/\(made.id)?done=saved")
                } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) { return try await overview(call, form, refusal) }
            }
        ]
        if desk.isPlatform { return written }
        return written + [
            .page(.get, "\(address)/market/{id}", access: .tenant(.servicesRead), summary: "A course") { call in try await offer(call) },
            .page(.post, "\(address)/market/{id}/purchases", access: .tenant(.billingWrite), summary: "Buy a course") { call in
                let form = try call.form()
                let id: CourseID = try call.id("id", noun: "course")
                do {
                    let seen = Int64(form["price"]).map { Money(minorUnits: $0, currency: form["currency"]) }
                    let made = try await billing.enrol(
                        nil, name: form["learner_name"], in: id, of: call.tenant, seen: seen, by: call.principal)
                    return .redirect("\(address)/learning/\(made.id)?done=bought")
                } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) { return try await offer(call, form, refusal) }
            }
        ]
    }

    /// A course keeps its currency, which the form says.
    static func terms(_ form: FormFields) throws -> CourseBody {
        let currency = form["currency"].isEmpty ? "USD" : form["currency"]
        guard let price = Money(decimal: form["price"], currency: currency) else {
            throw Refusal.invalid("price", "out_of_range", "price is an amount, as 499.00.")
        }
        func number(_ name: String) throws -> Int {
            guard let number = Int(form[name]) else { throw Refusal.invalid(name, "not_an_integer", "\(name) must be an integer.") }
            return number
        }
        return CourseBody(
            title: form["title"], summary: form["summary"], price: Int(price.minorUnits), currency: currency,
            examQuestions: try number("exam_questions"), passPercent: try number("pass_percent"), attempts: try number("attempts"),
            pauseMinutes: try number("pause_minutes"))
    }

    private func overview(_ call: EndpointCall, _ form: FormFields? = nil, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let fault = Console.notice(refusal?.message(besides: form == nil ? [] : Self.termFields))
        let own = try await billing.courses(of: desk.side(call), before: nil, limit: Self.rowsShown)
        let mayWrite = desk.mayWrite(call)
        let list: HTML? = own.isEmpty ? nil : authored(text, own)
        let new: HTML? =
            mayWrite
            ? """
            <section class="card stack"><h3>\(text("billing.course.new"))</h3><form method="post" action="\(address)/own" class="form">
            \(Self.termsForm(text, nil, form, refusal))<p class="buttons"><button class="button">\(text("billing.course.make"))</button></p></form></section>
            """ : nil
        let authoring: HTML? = mayWrite || !own.isEmpty ? "<h2>\(text("billing.course.own"))</h2>\(list)\(new)" : nil
        let buyers: HTML? = if desk.isPlatform { nil } else { try await buying(call) }
        return try await desk.page(
            call, title: text("billing.settings.courses"), current: address, status: refusal?.kind.status ?? 200,
            """
            \(fault)\(buyers)\(authoring)
            """)
    }

    private func buying(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        return """
            <h2>\(text("billing.course.learning"))</h2>\(try await learning(call))<h2>\(text("billing.course.market"))</h2>\(try await market(call))
            """
    }

    private func learning(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        let all = try await billing.enrolments(of: call.tenant, before: nil, limit: Self.rowsShown)
        if all.isEmpty {
            return "<section class=\"card\">\(Console.empty(text("billing.course.learning.empty"), text("billing.course.learning.hint")))</section>"
        }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.course"), nil), (text("billing.course.learner"), nil), (text("billing.course.progress"), "number"),
            (text("billing.column.status"), nil)
        ]
        let rows: [HTML] = all.map { one in
            """
            <tr><td class="name"><a href="\(href: "\(address)/learning/\(one.enrolment.id)")">\(one.course.title)</a></td><td>\(one.enrolment.learnerName)</td>
            <td class="number" data-label="\(columns[2].title)">\(one.lessonsDone) / \(one.lessons.count)</td><td>\(LearningPages.status(text, one))</td></tr>
            """
        }
        return "<section class=\"card\">\(Console.table(columns, rows))</section>"
    }

    private func market(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        let cursor: CourseID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let found = try await billing.publishedCourses(before: cursor, limit: Self.rowsShown + 1)
        let page = Page(found, limit: Self.rowsShown) { Cursor([.string($0.id.description)]) }
        if page.data.isEmpty {
            return "<section class=\"card\">\(Console.empty(text("billing.course.market.empty"), text("billing.course.market.hint")))</section>"
        }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.course"), nil), (text("billing.consulting.by"), nil), (text("billing.course.price"), "number")
        ]
        var rows: [HTML] = []
        for course in page.data {
            let who = try await billing.serviceName(course.author)
            rows.append(
                """
                <tr><td class="name"><a href="\(href: "\(address)/market/\(course.id)")">\(course.title)</a></td><td>\(who)</td>
                <td class="number" data-label="\(columns[2].title)">\(text.price(course.price, course.currency))</td></tr>
                """)
        }
        return "<section class=\"card\">\(Console.table(columns, rows))\(Console.more(text, address, cursor: page.nextCursor))</section>"
    }

    private func authored(_ text: Localizer, _ own: [Course]) -> HTML {
        let columns: [(title: String, kind: String?)] = [
            (text("billing.course"), nil), (text("billing.course.price"), "number"), (text("billing.column.status"), nil)
        ]
        let rows: [HTML] = own.map { course in
            """
            <tr><td class="name"><a href="\(href: "\(address)/own/\(course.id)")">\(course.title)</a></td>
            <td class="number" data-label="\(columns[1].title)">\(text.price(course.price, course.currency))</td><td>\(text("billing.course.status.\(course.status.rawValue)"))</td></tr>
            """
        }
        return "<section class=\"card\">\(Console.table(columns, rows))</section>"
    }

    static func termsForm(_ text: Localizer, _ course: Course?, _ form: FormFields?, _ refusal: Refusal?) -> HTML {
        func value(_ name: String, _ known: String) -> String { form?[name] ?? known }
        func fault(_ name: String) -> String? { form == nil ? nil : refusal?.message(for: name) }
        let numbers: [(String, Int64)] = [
            ("exam_questions", course?.exam.questions ?? 10), ("pass_percent", course?.exam.passPercent ?? 80),
            ("attempts", course?.exam.attempts ?? 3), ("pause_minutes", course?.exam.pauseMinutes ?? 1_440)
        ]
        let rules: [HTML] = numbers.map { name, known in
            Console.field(name, label: text("billing.course.\(name)"), type: "number", value: value(name, String(known)), fault: fault(name))
        }
        let currency = course?.currency ?? "USD"
        let price = Money(minorUnits: course?.price ?? 49_900, currency: currency).decimalText
        return """
            <input type="hidden" name="currency" value="\(currency)">
            \(Console.field("title", label: text("billing.consulting.title"), value: value("title", course?.title ?? ""), hint: text("billing.course.title.hint"), fault: fault("title")))
            \(Console.area("summary", label: text("billing.consulting.about"), value: value("summary", course?.summary ?? ""), fault: fault("summary"), isRequired: false))
            \(Console.field("price", label: text("billing.course.price.in", ["currency": currency]), value: value("price", price), hint: text("billing.course.price.hint"), fault: fault("price")))\(rules)
            """
    }

    private func offer(_ call: EndpointCall, _ form: FormFields? = nil, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let (course, lessons) = try await billing.course(try call.id("id", noun: "course"), for: call.tenant)
        let fault = Console.notice(refusal?.message(besides: ["learner_name"]))
        let outline: [HTML] = lessons.map { "<li>\($0.title)</li>" }
        let about: HTML? = course.summary.isEmpty ? nil : "<p class=\"lines\">\(course.summary)</p>"
        let mayBuy = call.principal.may(.billingWrite) && course.status == .published && course.author != call.tenant
        let name = try await desk.context.person(call.principal).name
        let buy: HTML? =
            mayBuy
            ? """
            <h2>\(text("billing.course.buy"))</h2><section class="card stack"><form method="post" action="\(href: "\(address)/market/\(course.id)/purchases")" class="form">
            <input type="hidden" name="price" value="\(course.price)"><input type="hidden" name="currency" value="\(course.currency)">
            \(Console.field("learner_name", label: text("billing.course.learner_name"), value: form?["learner_name"] ?? name, hint: text("billing.course.learner_name.hint"), fault: refusal?.message(for: "learner_name")))
            <p class="buttons"><button class="button primary">\(text("billing.course.buy.for", ["amount": text.price(course.price, course.currency)]))</button></p></form></section>
            """ : nil
        let rules = text(
            "billing.course.exam.rules",
            [
                "questions": String(course.exam.questions), "percent": String(course.exam.passPercent), "attempts": String(course.exam.attempts)
            ])
        return try await desk.page(
            call, title: course.title, current: address, crumb: desk.back(text, to: address, "billing.settings.courses"),
            status: refusal?.kind.status ?? 200,
            """
            \(fault)<section class="card"><dl class="facts"><div><dt>\(text("billing.consulting.by"))</dt><dd>\(try await billing.serviceName(course.author))</dd></div>
            <div><dt>\(text("billing.course.price"))</dt><dd>\(text.price(course.price, course.currency))</dd></div>
            <div><dt>\(text("billing.course.exam"))</dt><dd>\(rules)</dd></div></dl></section>
            <section class="card stack">\(about)<h2>\(text("billing.course.lessons"))</h2><ol class="lessons">\(outline)</ol></section>\(buy)
            """)
    }
}
