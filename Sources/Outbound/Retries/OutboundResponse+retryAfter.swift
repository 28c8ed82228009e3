package import Kernel

extension OutboundResponse {
    /// How long the server asks to wait by `Retry-After` (RFC 9110, 10.2.3), which names seconds or a time; a time that is over is no wait.
    package func retryAfter(now: Timestamp) -> Duration? {
        guard let text = header("retry-after")?.trimmingSpaces() else { return nil }
        if let seconds = Int64(text), seconds >= 0 { return .seconds(min(seconds, 366 * 86_400)) }
        return HTTPDate.parse(text, now: now).map { max($0 - now, .zero) }
    }
}
