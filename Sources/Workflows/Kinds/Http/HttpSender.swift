internal import Kernel
internal import Outbound

/// Sends one request, and again where trying again can help.
struct HttpSender: Sendable {
    let step: StepContext
    let options: HttpOptions

    /// Waits for a `Retry-After` of up to `KindLimits.retryAfterSeconds` (RFC 9110, 10.2.3) that comes with 429 or 503; where the node
    /// asks for retries, also after 5xx, 408, 429 and a failed connection, twice as long each time.
    func send(_ request: OutboundRequest) async throws -> OutboundResponse {
        let patient = max(options.attempts, KindLimits.retryAfterAttempts)
        for attempt in 1...patient {
            do {
                let response = try await step.services.send(request)
                guard attempt < patient, let wait = wait(for: response, attempt: attempt) else { return response }
                try await Task.sleep(for: wait)
            } catch let error as OutboundError {
                guard attempt < options.attempts, HttpSender.isTransient(error) else { throw error }
                try await Task.sleep(for: backoff(attempt))
            }
        }
        preconditionFailure("the last attempt returns or throws")
    }

    private func wait(for response: OutboundResponse, attempt: Int) -> Duration? {
        if [429, 503].contains(response.status), let seconds = retryAfter(response) {
            return seconds <= Double(KindLimits.retryAfterSeconds) ? .seconds(max(0, seconds)) : nil
        }
        let isTransient = response.status >= 500 || [408, 429].contains(response.status)
        return isTransient && attempt < options.attempts ? backoff(attempt) : nil
    }

    private func retryAfter(_ response: OutboundResponse) -> Double? {
        guard let text = response.header("Retry-After") else { return nil }
        if let seconds = Double(text) { return seconds }
        return LooseTime.parse(.string(text), timeZone: "UTC").map { Double($0.seconds - step.now.seconds) }
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
