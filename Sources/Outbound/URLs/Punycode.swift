/// Writes one label of an international domain name in ASCII (RFC 3492, 6.3).
enum Punycode {
    private static let base = 36
    private static let tMin = 1
    private static let tMax = 26

    /// - Parameter label: lower case, in composed form.
    /// - Throws: `invalid_url` where the label is longer than a domain name's 63 bytes.
    static func encode(_ label: some StringProtocol) throws -> String {
        let scalars = String(label).unicodeScalars.map { Int($0.value) }
        guard scalars.count <= 63 else { throw OutboundURL.invalid("The URL's host is malformed.") }
        var out = scalars.filter { $0 < 128 }.map { UInt8($0) }
        let basicCount = out.count
        if basicCount > 0 { out.append(UInt8(ascii: "-")) }
        var code = 128
        var delta = 0
        var bias = 72
        var handled = basicCount
        while handled < scalars.count {
            let next = scalars.filter { $0 >= code }.min() ?? code
            delta += (next - code) * (handled + 1)
            code = next
            for scalar in scalars {
                if scalar < code { delta += 1 }
                guard scalar == code else { continue }
                out += digits(of: delta, bias: bias)
                bias = adapt(delta, points: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            code += 1
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A generalized variable-length integer.
    private static func digits(of delta: Int, bias: Int) -> [UInt8] {
        var out: [UInt8] = []
        var rest = delta
        var k = base
        while true {
            let threshold = min(max(k - bias, tMin), tMax)
            if rest < threshold { break }
            out.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            k += base
        }
        out.append(digit(rest))
        return out
    }

    private static func digit(_ value: Int) -> UInt8 { UInt8(value < 26 ? 97 + value : 22 + value) }

    private static func adapt(_ delta: Int, points: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / points
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + 38)
    }
}
