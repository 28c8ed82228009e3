package import Kernel

/// Whether and when a request is tried again: exponential backoff with full jitter, and `Retry-After` where the server names a time.
package struct RetryPolicy: Sendable, Hashable {
    /// What an attempt came to.
    package enum Outcome: Sendable {
        case response(OutboundResponse)
        case failure(OutboundError)
    }

    /// Attempts in all; 1 never retries.
    package var attempts: Int
    /// The upper bound of the first wait; each further one doubles it, up to `maximumDelay`.
    package var firstDelay: Duration
    package var maximumDelay: Duration
    /// A server that asks for a longer wait is not retried.
    package var longestRetryAfter: Duration
    /// Answers worth another attempt.
    package var retryableStatuses: Set<Int>

    package init(
        attempts: Int = 4, firstDelay: Duration = .milliseconds(500), maximumDelay: Duration = .seconds(30),
        longestRetryAfter: Duration = .seconds(300), retryableStatuses: Set<Int> = [408, 425, 429, 500, 502, 503, 504]
    ) {
        precondition(attempts >= 1, "a request is tried once at least")
        self.attempts = attempts
        self.firstDelay = firstDelay
        self.maximumDelay = maximumDelay
        self.longestRetryAfter = longestRetryAfter
        self.retryableStatuses = retryableStatuses
    }

    package static let never = RetryPolicy(attempts: 1)

    /// The wait before the next attempt, or nil where there is none.
    /// - Parameters:
    ///   - attempt: the number of the attempt that ended, from 1.
    ///   - isRepeatable: the request may be sent twice without harm: a read, or one with an idempotency key. Others are only retried
    ///     where the server cannot have acted on them: no connection, or an answer of 429 or 503.
    ///   - jitter: between 0 and 1.
    package func delay(
        afterAttempt attempt: Int, outcome: Outcome, isRepeatable: Bool, now: Timestamp, jitter: Double = .random(in: 0...1)
    ) -> Duration? {
        guard attempt < attempts else { return nil }
        let backoff = self.backoff(afterAttempt: attempt, jitter: jitter)
        switch outcome {
        case .failure(let error):
            switch error.code {
            case .unreachable, .unresolvable, .overloaded: return backoff
            case .timeout, .closed: return isRepeatable ? backoff : nil
            case .invalidURL, .invalidRequest, .forbiddenAddress, .tls, .responseTooLarge, .tooManyRedirects: return nil
            }
        case .response(let response):
            guard retryableStatuses.contains(response.status) else { return nil }
            guard isRepeatable || response.status == 429 || response.status == 503 else { return nil }
            guard let asked = Self.retryAfter(response, now: now) else { return backoff }
            return asked > longestRetryAfter ? nil : max(asked, .zero)
        }
    }

    /// Full jitter: evenly between zero and the bound, so that many clients do not come back at the same moment.
    private func backoff(afterAttempt attempt: Int, jitter: Double) -> Duration {
        let doublings = min(attempt - 1, 30)
        let bound = min(firstDelay * (1 << doublings), maximumDelay)
        return bound * min(max(jitter, 0), 1)
    }

    /// `Retry-After` (RFC 9110, 10.2.3): seconds, or a time.
    package static func retryAfter(_ response: OutboundResponse, now: Timestamp) -> Duration? {
        guard let text = response.header("retry-after")?.trimmingSpaces() else { return nil }
        if let seconds = Int64(text), seconds >= 0 { return .seconds(min(seconds, 366 * 86_400)) }
        return HTTPDate.parse(text, now: now).map { max($0 - now, .zero) }
    }
}
