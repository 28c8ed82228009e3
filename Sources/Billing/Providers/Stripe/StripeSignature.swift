internal import Crypto
internal import Foundation
internal import Kernel

/// The header `Stripe-Signature: t=<seconds>,v1=<hex>,…`: HMAC-SHA256 of `<t>.<body>` under the endpoint's secret
/// (https://docs.stripe.com/webhooks#verify-manually). Several `v1` stand beside each other while a secret is rolled.
enum StripeSignature {
    /// How old or how far ahead a message may be, as Stripe's own libraries have it.
    static let tolerance: Duration = .seconds(300)

    static func holds(_ header: String, body: [UInt8], secret: String, now: Timestamp) -> Bool {
        var (time, marks): (Int64?, [String]) = (nil, [])
        for part in header.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            if pair[0] == "t" { time = Int64(pair[1]) } else if pair[0] == "v1" { marks.append(String(pair[1])) }
        }
        guard let time, (0...253_402_300_799).contains(time) else { return false }
        let sent = Timestamp(seconds: time)
        guard sent >= now - tolerance, sent <= now + tolerance else { return false }
        let signed = Array("\(time).".utf8) + body
        let key = SymmetricKey(data: Data(secret.utf8))
        return marks.contains { mark in
            bytes(mark).map { HMAC<SHA256>.isValidAuthenticationCode($0, authenticating: signed, using: key) } ?? false
        }
    }

    static func header(body: [UInt8], secret: String, at time: Timestamp) -> String {
        let mark = HMAC<SHA256>.authenticationCode(for: Array("\(time.seconds).".utf8) + body, using: SymmetricKey(data: Data(secret.utf8)))
        return "t=\(time.seconds),v1=\(mark.hexText)"
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: 64, by: 2) {
            guard let byte = UInt8(String(decoding: digits[place...place + 1], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
