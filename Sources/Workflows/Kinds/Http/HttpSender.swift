internal import Kernel
internal import Outbound

/// Sends one request, and again where trying again can help.
struct HttpSender: Sendable {
    let step: StepContext
    let options: HttpOptions
    let patience: HttpPatience
    let authentication: HttpAuthentication

    /// Obeys a `Retry-After` (RFC 9110, 10.2.3) that comes with 429 or 503; where the node asks for retries, tries again also after
    /// 5xx, 408, 429 and a failed connection, waiting twice as long each time.
    /// - Parameter ended: attempts that ended before a wait of the step.
    /// - Throws: `HttpPause` where the wait is too long to sleep; `retry_after_too_long` where the server asks for more than
    ///   `KindLimits.retryAfter`.
    func send(_ request: OutboundRequest, after ended: Int) async throws -> OutboundResponse {
        let patient = max(options.attempts, KindLimits.retryAfterAttempts)
        for attempt in (ended + 1)...max(patient, ended + 1) {
            do {
                let response = try await authentication.send(request) { try await step.services.send($0) }
                guard attempt < patient, let wait = try wait(for: response, attempt: attempt) else { return response }
                try await patience.wait(wait, at: .init(attempts: attempt))
            } catch let error as OutboundError {
                guard attempt < options.attempts, HttpSender.isTransient(error) else { throw error }
                try await patience.wait(backoff(attempt), at: .init(attempts: attempt))
            }
        }
        preconditionFailure("the last attempt returns or throws")
    }

    private func wait(for response: OutboundResponse, attempt: Int) throws -> Duration? {
        if [429, 503].contains(response.status), let wait = response.retryAfter(now: patience.now) {
            guard wait > KindLimits.retryAfter else { return wait }
            if options.neverError { return nil }
            throw StepFailure(
                "retry_after_too_long",
                "The server answered \(response.status) and asks to wait for \(wait.components.seconds) seconds; a node waits for \(KindLimits.retryAfter.components.seconds) at most.",
                details: ["status": .number(Double(response.status)), "retry_after": .number(Double(wait.components.seconds))], isRetryable: false)
        }
        let isTransient = response.status >= 500 || [408, 429].contains(response.status)
        return isTransient && attempt < options.attempts ? backoff(attempt) : nil
    }

    private func backoff(_ attempt: Int) -> Duration {
        .milliseconds(Int64(min(options.backoffMilliseconds * Double(1 << (attempt - 1)), 30_000)))
    }

    private static func isTransient(_ error: OutboundError) -> Bool {
        switch error.code {
        case .unreachable, .timeout, .closed, .overloaded, .unresolvable: true
        default: false
        }
    }
}
