internal import HTTPSurface
internal import Kernel
internal import Persistence

struct FigureRoutes {
    let billing: Billing

    private static let tag = "Operator"
    private static let monthsUsual = 12
    private static let stepsUsual = 6

    var endpoints: [Endpoint] { figures + inputs + satisfaction }

    private var figures: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/revenue", access: .platformOperator, summary: "Show recurring revenue and what moved it", tag: Self.tag,
                query: RevenueQuery.self, returns: .ok(RevenueView.self)
            ) { call in
                let query = try call.query(RevenueQuery.self)
                try Self.check(query.from, query.to)
                let currency = try AmountBounds.checkedCurrency(query.currency ?? "USD")
                return RevenueView(try await billing.revenue(from: query.from, to: query.to, currency), currency: currency)
            },
            Endpoint.list(
                "/v1/revenue/months", access: .platformOperator, summary: "List the figures by month", tag: Self.tag, query: FigureQuery.self,
                of: MonthFiguresView.self
            ) { call, page in
                let report = try await report(call)
                return try Page(of: report.months.map { MonthFiguresView($0, currency: report.currency) }, page)
            },
            Endpoint(
                .get, "/v1/revenue/months/{month}", access: .platformOperator, summary: "Show a month's figures and the rows behind them",
                tag: Self.tag, query: CurrencyQuery.self, returns: .ok(MonthDetailView.self)
            ) { call in
                let currency = try AmountBounds.checkedCurrency(try call.query(CurrencyQuery.self).currency ?? "USD")
                let month = try Month.checked(try call.parameter("month"))
                return MonthDetailView(try await billing.detail(of: month, currency), currency: currency)
            },
            Endpoint.list(
                "/v1/revenue/cohorts", access: .platformOperator, summary: "List the customers by the month of their first payment", tag: Self.tag,
                query: FigureQuery.self, of: CohortView.self
            ) { call, page in try Page(of: try await report(call).cohorts.map(CohortView.init), page) },
            Endpoint(
                .get, "/v1/revenue/forecast", access: .platformOperator, summary: "Forecast recurring revenue with intervals", tag: Self.tag,
                query: ForecastQuery.self, returns: .ok(ForecastView.self),
                errors: [ErrorDeclaration(.conflict, "history_short", "There are fewer than 6 whole months of recurring revenue.")]
            ) { call in
                let query = try call.query(ForecastQuery.self)
                let steps = query.steps ?? Self.stepsUsual
                guard (1...Forecast.stepsMaximum).contains(steps) else {
                    throw Refusal.invalid("steps", "out_of_range", "steps lies between 1 and \(Forecast.stepsMaximum).")
                }
                let currency = try AmountBounds.checkedCurrency(query.currency ?? "USD")
                let report = try await billing.figures(months: 1, currency)
                let forecast = try report.forecast()
                let present = report.months[0].month
                return ForecastView(
                    currency: currency, method: "holt-linear", alphaHundredths: (forecast.alpha * 100).units,
                    betaHundredths: (forecast.beta * 100).units, history: report.history.map { Int($0) },
                    points: (1...steps).map { ForecastPointView(present + ($0 - 1), forecast.point($0)) })
            }
        ]
    }

    private var inputs: [Endpoint] {
        [
            Endpoint.list(
                "/v1/revenue/spend", access: .platformOperator, summary: "List what was spent on winning customers", tag: Self.tag,
                query: FigureQuery.self, of: SpendView.self
            ) { call, page in
                let (count, currency) = try Self.asked(call)
                let last = Month(of: billing.clock.now())
                return try Page(of: try await billing.spend(from: last + (1 - count), to: last, currency).map(SpendView.init), page)
            },
            Endpoint(
                .put, "/v1/revenue/spend", access: .platformOperator, summary: "Enter what was spent on winning customers in a month", tag: Self.tag,
                body: SpendBody.self, returns: .noContent
            ) { call, body in
                let line = try Spend(month: body.month, source: body.source, currency: body.currency ?? "USD", amount: Int64(body.amount))
                try await billing.enter([line], by: call.principal)
            },
            Endpoint(
                .post, "/v1/revenue/spend-imports", access: .platformOperator, summary: "Import what was spent on winning customers from CSV",
                tag: Self.tag, body: SpendImportBody.self, returns: .ok(SpendImportView.self)
            ) { call, body in
                let lines = try Spend.read(body.content)
                try await billing.enter(lines, by: call.principal)
                return SpendImportView(lines: lines.count)
            },
            Endpoint.list(
                "/v1/revenue/targets", access: .platformOperator, summary: "List the targets beside what came of them", tag: Self.tag,
                query: FigureQuery.self, of: FigureTargetView.self
            ) { call, page in
                let report = try await report(call)
                return try Page(
                    of: report.targets.map { target in
                        FigureTargetView(
                            month: target.month.text, figure: target.figure.rawValue, currency: target.currency, target: Int(target.value),
                            actual: report.actual(target).map { Int($0) })
                    }, page)
            },
            Endpoint(
                .put, "/v1/revenue/targets", access: .platformOperator, summary: "Set a target for a month", tag: Self.tag,
                body: FigureTargetBody.self, returns: .noContent
            ) { call, body in try await billing.aim(try body.target(), by: call.principal) }
        ]
    }

    private var satisfaction: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/revenue/satisfaction", access: .platformOperator, summary: "Show the net promoter score of a time", tag: Self.tag,
                query: RevenueQuery.self, returns: .ok(SatisfactionView.self)
            ) { call in
                let query = try call.query(RevenueQuery.self)
                try Self.check(query.from, query.to)
                return SatisfactionView(try await billing.satisfaction(from: query.from, to: query.to))
            },
            Endpoint.list(
                "/v1/revenue/satisfaction/answers", access: .platformOperator, summary: "List what people answered, newest first", tag: Self.tag,
                of: SatisfactionAnswerView.self
            ) { _, page in
                let cursor: SatisfactionID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.satisfactionAnswers(before: cursor, limit: page.limit + 1)
                let views = rows.map {
                    SatisfactionAnswerView(id: $0.id, tenant: $0.tenant, at: $0.at, score: Int($0.score ?? 0), comment: $0.comment)
                }
                return Page(views, limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/satisfaction/question", access: .tenant(.satisfactionAnswer), summary: "Show whether you are asked how satisfied you are",
                tag: "Satisfaction", returns: .ok(SatisfactionQuestionView.self)
            ) { call in SatisfactionQuestionView(isDue: try await billing.isQuestionDue(call.principal, in: call.tenant)) },
            Endpoint(
                .post, "/v1/satisfaction/answers", access: .tenant(.satisfactionAnswer), summary: "Say how satisfied you are, or put it aside",
                tag: "Satisfaction", body: SatisfactionAnswerBody.self, returns: .noContent,
                errors: [ErrorDeclaration(.conflict, "not_asked", "The question is not asked now.")]
            ) { call, body in
                try await billing.answer(body.score.map { Int64($0) }, comment: body.comment ?? "", in: call.tenant, by: call.principal)
            }
        ]
    }

    private func report(_ call: EndpointCall) async throws -> FigureReport {
        let (count, currency) = try Self.asked(call)
        return try await billing.figures(months: count, currency)
    }

    private static func asked(_ call: EndpointCall) throws -> (months: Int, currency: String) {
        let query = try call.query(FigureQuery.self)
        let count = query.months ?? monthsUsual
        guard Billing.figureMonths.contains(count) else {
            throw Refusal.invalid(
                "months", "out_of_range", "months lies between \(Billing.figureMonths.lowerBound) and \(Billing.figureMonths.upperBound).")
        }
        return (count, try AmountBounds.checkedCurrency(query.currency ?? "USD"))
    }

    private static func check(_ from: Timestamp, _ to: Timestamp) throws {
        guard from < to else { throw Refusal.invalid("to", "out_of_range", "The time begins before it ends.") }
    }
}

extension FigureReport {
    /// What a target's figure is; nil of months that have not begun or were not asked for.
    func actual(_ target: FigureTarget) -> Int64? {
        guard let month = months.first(where: { $0.month == target.month }) else { return nil }
        switch target.figure {
        case .recurring: return month.movement.end
        case .collected: return month.collected
        case .customers: return Int64(month.movement.customersAtEnd)
        }
    }
}
