internal import HTTPSurface
internal import Kernel

/// What operators enter: spend by month and source, or as CSV, and targets.
struct FigureForms {
    let billing: Billing
    let pages: FigurePages

    private static let address = "\(FigurePages.address)/inputs"
    private static let monthsShown = 24
    private static let spendFields = ["month", "source", "amount"]
    private static let targetFields = ["target_month", "figure", "value"]

    private enum Form { case spend, csv, target }

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: FigurePages.read, summary: "Spend and targets") { call in
                try await inputs(call, try FigurePages.currency(call))
            },
            .page(.post, "\(Self.address)/spend", access: FigurePages.write, summary: "Enter what was spent") { call in
                try await answer(call, .spend) { form, currency in
                    guard let money = Money(decimal: form["amount"], currency: currency) else {
                        throw Refusal.invalid("amount", "out_of_range", "amount is an amount, as 500.00.")
                    }
                    let line = try Spend(month: form["month"], source: form["source"], currency: currency, amount: money.minorUnits)
                    try await billing.enter([line], by: call.principal)
                }
            },
            .page(.post, "\(Self.address)/spend-imports", access: FigurePages.write, summary: "Import what was spent") { call in
                try await answer(call, .csv) { form, _ in try await billing.enter(try Spend.read(form["content"]), by: call.principal) }
            },
            .page(.post, "\(Self.address)/targets", access: FigurePages.write, summary: "Set a target") { call in
                try await answer(call, .target) { form, currency in
                    let figure = FigureTarget.Figure(rawValue: form["figure"]) ?? .recurring
                    let units = figure.isMoney ? Money(decimal: form["value"], currency: currency)?.minorUnits : Int64(form["value"])
                    guard let units else {
                        throw Refusal.invalid("value", "out_of_range", "value is an amount, as 10000.00, or a number of customers.")
                    }
                    try await billing.aim(
                        FigureTarget(
                            month: try Month.checked(form["target_month"], field: "target_month"), figure: figure, currency: currency,
                            value: try AmountBounds.checked(units, field: "value")), by: call.principal)
                }
            }
        ]
    }

    private func answer(_ call: EndpointCall, _ kind: Form, _ body: (FormFields, String) async throws -> Void) async throws -> Answer {
        let form = try call.form()
        let currency = try AmountBounds.checkedCurrency(form["currency"].isEmpty ? "USD" : form["currency"])
        do {
            try await body(form, currency)
            return .redirect("\(Self.address)?done=saved&currency=\(currency)")
        } catch let refusal as Refusal where refusal.kind == .invalid { return try await inputs(call, currency, kind, form, refusal) }
    }

    /// - Parameter currency: what is entered again goes into the same.
    private func inputs(
        _ call: EndpointCall, _ currency: String, _ kind: Form? = nil, _ form: FormFields? = nil, _ refusal: Refusal? = nil
    ) async throws -> Answer {
        let text = call.localizer
        let last = Month(of: billing.clock.now())
        let spend = try await billing.spend(from: last + (1 - Self.monthsShown), to: last, currency)
        func value(_ name: String, of asked: Form, _ usual: String = "") -> String { kind == asked ? form?[name] ?? usual : usual }
        func fault(_ name: String, of asked: Form) -> String? { kind == asked ? refusal?.message(for: name) : nil }
        let known = Self.spendFields + Self.targetFields + ["content"]
        let hidden: HTML = "<input type=\"hidden\" name=\"currency\" value=\"\(currency)\">"
        let rows: [HTML] = spend.reversed().map { one in
            """
            <tr><td class="name">\(one.month.text)</td><td>\(one.source)</td><td class="number">\(text.amount(one.amount, currency))</td></tr>
            """
        }
        let table =
            rows.isEmpty
            ? Console.empty(text("billing.figures.spend.empty"), text("billing.figures.spend.empty.hint"))
            : Console.table(
                [
                    (text("billing.figures.month"), nil), (text("billing.figures.source"), nil),
                    ("\(text("billing.column.amount")), \(currency)", "number")
                ],
                rows)
        let choices = FigureTarget.Figure.allCases.map { ($0.rawValue, text("billing.figures.\($0.rawValue)")) }
        return try await pages.page(
            call, text("billing.figures.inputs"), crumb: FigurePages.back(text), status: refusal?.kind.status ?? 200,
            """
            \(Console.notice(call.parameter(ofQuery: "done") == "saved" ? text("billing.done.saved") : nil, isBad: false))
            \(Console.notice(refusal?.message(besides: known)))
            <section class="card stack"><h2>\(text("billing.figures.spend"))</h2><form method="post" action="\(Self.address)/spend" class="form">\(hidden)
            \(Console.field("month", label: text("billing.figures.month"), value: value("month", of: .spend, last.text), hint: text("billing.figures.month.hint"), fault: fault("month", of: .spend)))
            \(Console.field("source", label: text("billing.figures.source"), value: value("source", of: .spend), hint: text("billing.figures.source.hint"), fault: fault("source", of: .spend)))
            \(Console.field("amount", label: "\(text("billing.column.amount")), \(currency)", value: value("amount", of: .spend), fault: fault("amount", of: .spend)))
            <p class="buttons"><button class="button">\(text("billing.figures.spend.enter"))</button></p></form></section>
            <section class="card stack"><h2>\(text("billing.figures.csv"))</h2><form method="post" action="\(Self.address)/spend-imports" class="form">
            \(Console.area("content", label: text("billing.figures.csv.content"), value: value("content", of: .csv), hint: text("billing.figures.csv.hint"), fault: fault("content", of: .csv)))
            <p class="buttons"><button class="button">\(text("billing.figures.csv.import"))</button></p></form></section>
            <section class="card stack"><h2>\(text("billing.figures.targets"))</h2><form method="post" action="\(Self.address)/targets" class="form">\(hidden)
            \(Console.field("target_month", label: text("billing.figures.month"), value: value("target_month", of: .target, last.text), hint: text("billing.figures.month.hint"), fault: fault("target_month", of: .target)))
            \(Console.choice("figure", label: text("billing.figures.figure"), options: choices, chosen: value("figure", of: .target, "recurring")))
            \(Console.field("value", label: text("billing.figures.target"), value: value("value", of: .target), hint: text("billing.figures.target.hint"), fault: fault("value", of: .target)))
            <p class="buttons"><button class="button">\(text("billing.figures.target.set"))</button></p></form></section>
            <section class="card" aria-labelledby="spent"><div class="title"><h2 id="spent">\(text("billing.figures.spent"))</h2></div>\(table)</section>
            """)
    }
}
