internal import Synchronization

/// Keeps retries a fraction of all requests, so that a failing service is not buried under them: each request pays in, each retry
/// takes out one whole token.
package final class RetryBudget: Sendable {
    private let depositPerRequest: Double
    private let capacity: Double
    private let tokens: Mutex<Double>

    /// - Parameters:
    ///   - ratio: retries allowed for each request, 0.2 being one in five.
    ///   - reserve: retries allowed when there was little traffic before; also the most that is ever saved up, tenfold.
    package init(ratio: Double = 0.2, reserve: Int = 10) {
        precondition(ratio >= 0 && reserve >= 0, "a budget is not negative")
        depositPerRequest = ratio
        capacity = Double(reserve) * 10
        tokens = Mutex(Double(reserve))
    }

    package func recordRequest() { tokens.withLock { $0 = min(capacity, $0 + depositPerRequest) } }

    /// Takes one retry out where there is one.
    package func takeRetry() -> Bool {
        tokens.withLock { tokens in
            guard tokens >= 1 else { return false }
            tokens -= 1
            return true
        }
    }
}
