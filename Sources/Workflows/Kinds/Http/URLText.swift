internal import Kernel

/// The text of addresses and forms.
enum URLText {
    /// RFC 3986, 2.3: what never needs an escape.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 95, 126: true
        default: false
        }
    }

    static func escaped(_ text: String, spaceAsPlus: Bool = false) -> String {
        escape(text) { isUnreserved($0) }.replacingSpaces(spaceAsPlus)
    }

    /// Escapes only what an address may not hold at all (WHATWG URL, query percent-encode set and beyond ASCII), so that one that is
    /// already escaped stays as it is.
    static func repaired(_ url: String) -> String {
        escape(url) { byte in byte > 0x20 && byte < 0x7F && !Array("\"<>\\^`{|}".utf8).contains(byte) }
    }

    private static func escape(_ text: String, keeping: (UInt8) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            if keeping(byte) { out.append(byte) } else { out += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Lists are written by their indices.
    static func form(_ fields: [(name: String, value: JSON)]) -> String {
        pairs(fields, arrays: "indices").map { "\(escaped($0.0, spaceAsPlus: true))=\(escaped($0.1, spaceAsPlus: true))" }
            .joined(separator: "&")
    }

    /// Values of null are left out, as axios does.
    /// - Parameter arrays: `brackets` (`a[]=1`), `indices` (`a[0]=1`) or `repeat` (`a=1`).
    static func adding(_ query: [(name: String, value: JSON)], to url: String, arrays: String) -> String {
        let parts = url.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let base = repaired(String(parts[0]))
        let text = pairs(query.filter { !$0.value.isNull }, arrays: arrays).map { "\(escaped($0.0))=\(escaped($0.1))" }.joined(separator: "&")
        guard !text.isEmpty else { return base }
        if base.hasSuffix("?") || base.hasSuffix("&") { return base + text }
        return base + (base.contains("?") ? "&" : "?") + text
    }

    private static func pairs(_ query: [(name: String, value: JSON)], arrays: String) -> [(String, String)] {
        query.flatMap { name, value -> [(String, String)] in
            switch value {
            case .array(let elements):
                return elements.enumerated().map { index, element in
                    let key = arrays == "repeat" ? name : arrays == "indices" ? "\(name)[\(index)]" : "\(name)[]"
                    return (key, element.displayText)
                }
            case .object(let members): return members.map { ("\(name)[\($0.key)]", $0.value.displayText) }
            case .null: return [(name, "")]
            default: return [(name, value.displayText)]
            }
        }
    }
}

extension String {
    fileprivate func replacingSpaces(_ asPlus: Bool) -> String { asPlus ? replacing("%20", with: "+") : self }
}
