/// HTML text that can only be made from literals of the program and escaped values: `"<p>\(name)</p>"` escapes `name`.
///
/// Attribute values stand in double quotes. An address somebody else chose goes in by `\(href: url)`.
package struct HTML: Sendable, Hashable, ExpressibleByStringInterpolation {
    package private(set) var text: String

    package init(stringLiteral value: String) { text = value }
    package init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    /// Text that is escaped as a whole.
    package init(escaping plain: String) { text = HTML.escape(plain) }

    package static let empty: HTML = ""
    package static func + (left: HTML, right: HTML) -> HTML {
        var sum = left
        sum.text += right.text
        return sum
    }

    package struct Interpolation: StringInterpolationProtocol {
        var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }
        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ plain: some StringProtocol) { text += HTML.escape(plain) }
        package mutating func appendInterpolation(_ number: some BinaryInteger) { text += String(number) }
        package mutating func appendInterpolation(_ html: HTML) { text += html.text }
        package mutating func appendInterpolation(_ html: HTML?) { text += html?.text ?? "" }
        package mutating func appendInterpolation(_ list: [HTML]) { for html in list { text += html.text } }
        /// An address; anything but http, https, mailto and paths becomes `#`.
        package mutating func appendInterpolation(href url: String) { text += HTML.escape(HTML.isSafe(url) ? url : "#") }
        /// An attribute without a value, `checked`, where it holds.
        package mutating func appendInterpolation(_ attribute: StaticString, if holds: Bool) { if holds { text += " \(attribute)" } }
    }

    static func escape(_ plain: some StringProtocol) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(plain.utf8.count)
        for byte in plain.utf8 {
            switch byte {
            case UInt8(ascii: "&"): out.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): out.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): out.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "\""): out.append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "'"): out.append(contentsOf: "&#39;".utf8)
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Browsers skip control characters and spaces before a scheme, so an address with any is not safe.
    private static func isSafe(_ url: String) -> Bool {
        if url.utf8.contains(where: { $0 <= 0x20 }) { return false }
        guard let colon = url.firstIndex(of: ":") else { return true }
        let scheme = url[..<colon].lowercased()
        return ["http", "https", "mailto"].contains(scheme) || scheme.contains { "/?#".contains($0) }
    }
}
