internal import HTTPSurface
internal import Kernel

struct RevenueQuery: Codable, Sendable, Described {
    var from: Timestamp
    var to: Timestamp
    var currency: String?
    static let notes: [FieldNote] = [FieldNote("currency", "USD where it is left out.", length: 3...3)]
}

struct FigureQuery: Codable, Sendable, Described {
    var months: Int?
    var currency: String?
    static let notes: [FieldNote] = [
        FieldNote("months", "Up to the present one; 12 where it is left out.", range: 1...60),
        FieldNote("currency", "USD where it is left out.", length: 3...3)
    ]
}

struct ForecastQuery: Codable, Sendable, Described {
    var steps: Int?
    var currency: String?
    static let notes: [FieldNote] = [
        FieldNote("steps", "Months ahead, from the present one; 6 where it is left out.", range: 1...24),
        FieldNote("currency", "USD where it is left out.", length: 3...3)
    ]
}

struct CurrencyQuery: Codable, Sendable, Described {
    var currency: String?
    static let notes: [FieldNote] = [FieldNote("currency", "USD where it is left out.", length: 3...3)]
}

struct RevenueView: Codable, Sendable, Described {
    var currency: String
    var start: Int
    var new: Int
    var reactivation: Int
    var expansion: Int
    var contraction: Int
    var churn: Int
    var end: Int
    var annual: Int
    var customersAtStart: Int
    var customersGained: Int
    var customersLost: Int
    var customersAtEnd: Int
    var revenueChurnBasisPoints: Int?
    var customerChurnBasisPoints: Int?
    var netRetentionBasisPoints: Int?
    var grossRetentionBasisPoints: Int?
    var growthBasisPoints: Int?
    static let typeDescription: String? =
        "Monthly recurring revenue and what moved it, in the minor unit: start + new + reactivation + expansion - contraction - churn = end."
    static let notes: [FieldNote] = [
        FieldNote("start", "At the listed price, a twelfth of a year's; without tax, usage and credits. Trials and pauses bring nothing."),
        FieldNote("annual", "Twelve times the end (ARR)."),
        FieldNote("revenueChurnBasisPoints", "Churn and contraction over the start; null where there was nothing."),
        FieldNote("customerChurnBasisPoints", "Customers lost over those at the start; null where there were none."),
        FieldNote("netRetentionBasisPoints", "What those who paid at the start pay at the end, over what they paid then (NRR)."),
        FieldNote("grossRetentionBasisPoints", "The same without what each pays more than then (GRR)."),
        FieldNote("growthBasisPoints", "The end over the start, less one.")
    ]

    init(_ movement: RevenueMovement, currency: String) {
        self.currency = currency
        (start, new, reactivation) = (Int(movement.start), Int(movement.new), Int(movement.reactivation))
        (expansion, contraction, churn) = (Int(movement.expansion), Int(movement.contraction), Int(movement.churn))
        (end, annual) = (Int(movement.end), Int(movement.end * 12))
        (customersAtStart, customersGained) = (movement.customersAtStart, movement.customersGained)
        (customersLost, customersAtEnd) = (movement.customersLost, movement.customersAtEnd)
        revenueChurnBasisPoints = movement.revenueChurn.map { Int($0) }
        customerChurnBasisPoints = movement.customerChurn.map { Int($0) }
        netRetentionBasisPoints = movement.netRetention.map { Int($0) }
        grossRetentionBasisPoints = movement.grossRetention.map { Int($0) }
        growthBasisPoints = movement.growth.map { Int($0) }
    }
}

struct MonthFiguresView: Codable, Sendable, Described {
    var month: String
    var revenue: RevenueView
    var customersNew: Int
    var collected: Int
    var spend: Int
    var averageRevenue: Int?
    var lifetimeValue: Int?
    var acquisitionCost: Int?
    var paybackHundredths: Int?
    static let typeDescription: String? = "What is reckoned of a calendar month in UTC; amounts are in the minor unit."
    static let notes: [FieldNote] = [
        FieldNote("collected", "What came of customers less what went back to them, by the ledger."),
        FieldNote("spend", "On winning customers, as entered."),
        FieldNote("averageRevenue", "Recurring revenue over customers at the end (ARPA)."),
        FieldNote("lifetimeValue", "Average revenue over the mean monthly churn of customers of twelve months (LTV); null while nobody has left."),
        FieldNote("acquisitionCost", "Spend over customers that came for the first time (CAC)."),
        FieldNote("paybackHundredths", "Hundredths of months: spend over new recurring revenue.")
    ]

    init(_ figures: MonthFigures, currency: String) {
        (month, revenue) = (figures.month.text, RevenueView(figures.movement, currency: currency))
        (customersNew, collected, spend) = (figures.movement.customersNew, Int(figures.collected), Int(figures.spend))
        (averageRevenue, lifetimeValue) = (figures.averageRevenue.map { Int($0) }, figures.lifetimeValue.map { Int($0) })
        (acquisitionCost, paybackHundredths) = (figures.acquisitionCost.map { Int($0) }, figures.payback.map { Int($0) })
    }
}

struct RevenueMoveView: Codable, Sendable {
    var tenant: TenantID
    var at: Timestamp
    var kind: String
    var amount: Int
}

struct CollectionView: Codable, Sendable, Described {
    var tenant: TenantID
    var at: Timestamp
    var kind: String
    var subject: String
    var amount: Int
    static let notes: [FieldNote] = [FieldNote("kind", "Of the posting in the ledger."), FieldNote("amount", "Below zero where it went back.")]
}

struct SpendView: Codable, Sendable, Described {
    var month: String
    var source: String
    var currency: String
    var amount: Int
    static let notes: [FieldNote] = [FieldNote("amount", "In the minor unit.")]

    init(_ spend: Spend) { (month, source, currency, amount) = (spend.month.text, spend.source, spend.currency, Int(spend.amount)) }
}

struct MonthDetailView: Codable, Sendable, Described {
    var figures: MonthFiguresView
    var moves: [RevenueMoveView]
    var collections: [CollectionView]
    var spend: [SpendView]
    static let typeDescription: String? = "A month's figures and all rows behind them."
    static let notes: [FieldNote] = [
        FieldNote("moves", "They add up to what moved recurring revenue."), FieldNote("collections", "They add up to what was collected.")
    ]

    init(_ detail: MonthDetail, currency: String) {
        figures = MonthFiguresView(detail.figures, currency: currency)
        moves = detail.figures.movement.moves.map {
            RevenueMoveView(tenant: $0.tenant, at: $0.at, kind: $0.kind.rawValue, amount: Int($0.amount))
        }
        collections = detail.collections.map {
            CollectionView(tenant: $0.tenant, at: $0.at, kind: $0.kind, subject: $0.subject, amount: Int($0.amount))
        }
        spend = detail.spend.map(SpendView.init)
    }
}

struct CohortAgeView: Codable, Sendable {
    var customers: Int
    var monthly: Int
    var collected: Int
}

struct CohortView: Codable, Sendable, Described {
    var month: String
    var customers: Int
    var ages: [CohortAgeView]
    static let typeDescription: String? = "Customers that paid for the first time in a month, by the ledger."
    static let notes: [FieldNote] = [
        FieldNote("ages", "For each month from that one on: those with recurring revenue at its end, what they bring, and what was collected of all.")
    ]

    init(_ cohort: Cohort) {
        (month, customers) = (cohort.month.text, cohort.customers)
        ages = cohort.ages.map { CohortAgeView(customers: $0.customers, monthly: Int($0.monthly), collected: Int($0.collected)) }
    }
}

struct ForecastPointView: Codable, Sendable, Described {
    var month: String
    var mean: Int
    var likelyLow: Int
    var likelyHigh: Int
    var wideLow: Int
    var wideHigh: Int
    static let notes: [FieldNote] = [FieldNote("likelyLow", "Four in five lie between these."), FieldNote("wideLow", "Nineteen in twenty.")]

    init(_ month: Month, _ point: Forecast.Point) {
        self.month = month.text
        (mean, likelyLow, likelyHigh) = (point.mean.units, point.likely.lowerBound.units, point.likely.upperBound.units)
        (wideLow, wideHigh) = (point.wide.lowerBound.units, point.wide.upperBound.units)
    }
}

struct ForecastView: Codable, Sendable, Described {
    var currency: String
    var method: String
    var alphaHundredths: Int
    var betaHundredths: Int
    var history: [Int]
    var points: [ForecastPointView]
    static let typeDescription: String? = "Recurring revenue at the ends of the months to come, with intervals, in the minor unit."
    static let notes: [FieldNote] = [FieldNote("method", "holt-linear: Holt's linear trend, ETS(A,A,N).")]
}

struct FigureTargetBody: Codable, Sendable, Described {
    var month: String
    var figure: String
    var value: Int
    var currency: String?
    static let notes: [FieldNote] = [
        FieldNote("month", "A month in UTC.", example: "2026-03", length: 7...7),
        FieldNote("figure", "recurring, collected or customers.", example: "recurring", length: 1...20),
        FieldNote("value", "In the minor unit, or customers; 0 takes it away.", example: 1_000_000, range: 0...1e15),
        FieldNote("currency", "USD where it is left out.", length: 3...3)
    ]

    func target() throws -> FigureTarget {
        guard let found = FigureTarget.Figure(rawValue: figure) else {
            throw Refusal.invalid(
                "figure", "unknown_figure", "figure is one of \(FigureTarget.Figure.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return FigureTarget(
            month: try Month.checked(month), figure: found, currency: try AmountBounds.checkedCurrency(currency ?? "USD"),
            value: try AmountBounds.checked(Int64(value), field: "value"))
    }
}

struct FigureTargetView: Codable, Sendable, Described {
    var month: String
    var figure: String
    var currency: String
    var target: Int
    var actual: Int?
    static let notes: [FieldNote] = [FieldNote("actual", "Null of months to come.")]
}

struct SpendBody: Codable, Sendable, Described {
    var month: String
    var source: String
    var amount: Int
    var currency: String?
    static let notes: [FieldNote] = [
        FieldNote("month", "A month in UTC.", example: "2026-03", length: 7...7),
        FieldNote("source", "Where it was spent.", example: "ads", length: 1...60),
        FieldNote("amount", "In the minor unit; 0 takes it away.", example: 50_000, range: 0...1e15),
        FieldNote("currency", "USD where it is left out.", length: 3...3)
    ]
}

struct SpendImportBody: Codable, Sendable, Described {
    var content: String
    static let notes: [FieldNote] = [
        FieldNote(
            "content", "CSV with a head of month, source, amount (1234.50) and currency.", example: "month,source,amount\n2026-03,ads,500.00",
            length: 1...200_000)
    ]
}

struct SpendImportView: Codable, Sendable { var lines: Int }

struct SatisfactionQuestionView: Codable, Sendable, Described {
    var isDue: Bool
    static let notes: [FieldNote] = [
        FieldNote("isDue", "Whether the person is to be asked now: after 14 days as a member, and at most every 90 days.")
    ]
}

struct SatisfactionAnswerBody: Codable, Sendable, Described {
    var score: Int?
    var comment: String?
    static let notes: [FieldNote] = [
        FieldNote("score", "How likely the person is to recommend us; left out where the question is put aside.", example: 9, range: 0...10),
        FieldNote("comment", "In the person's own words.", length: 0...2_000)
    ]
}

struct SatisfactionView: Codable, Sendable, Described {
    var score: Int?
    var promoters: Int
    var passives: Int
    var detractors: Int
    static let notes: [FieldNote] = [
        FieldNote("score", "The net promoter score: promoters (9, 10) less detractors (0 to 6), of 100 answers; null without answers.")
    ]

    init(_ tally: SatisfactionTally) {
        (score, promoters, passives, detractors) = (tally.score.map { Int($0) }, tally.promoters, tally.passives, tally.detractors)
    }
}

struct SatisfactionAnswerView: Codable, Sendable {
    var id: SatisfactionID
    var tenant: TenantID
    var at: Timestamp
    var score: Int
    var comment: String
}

extension Double {
    /// In minor units; what is beyond all amounts is their bound.
    var units: Int {
        let bound = Double(AmountBounds.minorUnitsMaximum)
        return Int(Swift.min(Swift.max(self, -bound), bound).rounded(.toNearestOrAwayFromZero))
    }
}
