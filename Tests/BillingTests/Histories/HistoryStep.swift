import Kernel
import Tenancy
import TestKit

@testable import Billing

/// One thing that happens to a customer. Numbers name invoices and payments by their place in their lists, so that the model and the database
/// mean the same.
enum HistoryStep: Sendable, Hashable {
    case wait(Int64)
    case ask(SubscriptionRequest)
    case use(key: Int, Int64)
    /// Of what is due of an invoice, or another amount; a reference that comes again is the same money, or a contradiction.
    case pay(reference: Int, Int64?, invoice: Int?)
    case credit(invoice: Int, Int64, payment: Int?)
    /// Credit that nobody paid for, and after how many seconds it is gone.
    case grant(Int64, Int64?)
    /// Something of a seller, under a key.
    case sell(key: Int, SaleKind, Int64)
    case dispute(payment: Int, Till.DisputeOutcome, amount: Int64?, fee: Int64)

    /// - Parameter length: how many steps; the first one subscribes.
    static func history(_ seed: UInt64, length: Int) -> [HistoryStep] {
        var random = Seeded(seed)
        var steps: [HistoryStep] = [.ask(start(&random))]
        while steps.count < length { steps.append(step(&random)) }
        return steps
    }

    private static let plans = [PlanName.starter, .professional, .enterprise]

    private static func start(_ random: inout Seeded) -> SubscriptionRequest {
        .start(
            pick(plans, &random), pick([BillingInterval.month, .month, .year], &random), trialDays: pick([0, 0, 14], &random),
            overageCap: pick([0, 0, 5_000], &random))
    }

    private static func pick<Value>(_ list: [Value], _ random: inout Seeded) -> Value { list[Int.random(in: 0..<list.count, using: &random)] }

    private static func step(_ random: inout Seeded) -> HistoryStep {
        let amount = Int64.random(in: 1...40_000, using: &random)
        let (place, other) = (Int.random(in: 0...7, using: &random), Int.random(in: 0...5, using: &random))
        switch Int.random(in: 0...26, using: &random) {
        case 0...3: return .wait(pick([0, 1, 3_600, 86_400, 700_000, 1_500_000, 2_700_000, 4_000_000, 33_000_000], &random))
        case 4: return .ask(start(&random))
        case 5...6: return .ask(.change(pick(plans, &random), pick([BillingInterval.month, .month, .year], &random)))
        case 7: return .ask(pick([.cancel, .keep, .pause, .resume, .overage(3_000), .overage(0)], &random))
        case 8: return .use(key: other, pick([500, 900, 2_000, 11_000], &random))
        case 9...11: return .pay(reference: place, nil, invoice: other)
        case 12: return .pay(reference: place, amount, invoice: pick([nil, other], &random))
        case 13...14: return .credit(invoice: place, pick([1, 100, 2_900, amount], &random), payment: nil)
        case 15...16: return .credit(invoice: place, pick([1, 100, 2_900, amount], &random), payment: other)
        case 17...18:
            return .ask(.addon(pick(["seats", "boost"], &random), pick([0, 1, 2, 3, 25], &random)))
        case 19: return .ask(.addon("seats", pick([0, 1, 7, 20], &random)))
        case 20...21: return .ask(.redeem(pick(["HALF", "FREE", "THIRD", "TEN", "NONE"], &random)))
        case 22: return .grant(amount, pick([nil, 86_400, 1_000_000, 5_000_000], &random))
        case 23...24: return .sell(key: other, pick([.template, .agent], &random), pick([1, 999, 1_000, amount], &random))
        default:
            return .dispute(
                payment: other, pick([.opened, .opened, .won, .lost], &random), amount: pick([nil, nil, amount], &random),
                fee: pick([0, 1_500], &random))
        }
    }
}
