internal import Crypto
internal import Foundation
internal import Kernel

/// The secret of an endpoint: `whsec_` and 32 random bytes in base 64, as Standard Webhooks has it.
struct WebhookSecret: Sendable, Hashable {
    static let prefix = "whsec_"
    static let byteCount = 32

    let bytes: [UInt8]

    init(random: inout some RandomNumberGenerator) {
        bytes = (0..<Self.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    var text: String { Self.prefix + Data(bytes).base64EncodedString() }
}

/// The three headers of a signed message (Standard Webhooks 1.0): HMAC-SHA256 over `id.timestamp.payload`, one signature for each secret that is
/// valid now, separated by spaces.
enum WebhookSignature {
    static func headers(id: String, at time: Timestamp, payload: String, secrets: [WebhookSecret]) -> [(name: String, value: String)] {
        let signed = Data("\(id).\(time.seconds).\(payload)".utf8)
        let signatures = secrets.map { secret -> String in
            let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: secret.bytes))
            return "v1," + Data(code).base64EncodedString()
        }
        return [("webhook-id", id), ("webhook-timestamp", String(time.seconds)), ("webhook-signature", signatures.joined(separator: " "))]
    }
}

/// When a delivery is tried again: over three days and a half, with jitter, so that what was down together does not come back together.
enum WebhookSchedule {
    private static let waits: [Duration] = [
        .seconds(5), .seconds(300), .seconds(1_800), .seconds(7_200), .seconds(18_000), .seconds(36_000), .seconds(50_400), .seconds(72_000),
        .seconds(86_400)
    ]
    static var attemptsMaximum: Int { waits.count + 1 }
    /// Of the wait, either way.
    private static let jitter = 0.2

    /// The wait after the attempt of this number, from 1; nil where it was the last.
    /// - Parameter random: between 0 and 1.
    static func wait(after attempt: Int, random: Double) -> Duration? {
        guard attempt >= 1, attempt <= waits.count else { return nil }
        return waits[attempt - 1] * (1 - jitter + 2 * jitter * min(max(random, 0), 1))
    }
}
