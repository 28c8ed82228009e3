internal import Foundation
internal import Kernel

/// The encodings of texts in files, by the names that n8n gives them.
enum TextEncoding {
    private static let encodings: [String: String.Encoding] = [
        "utf8": .utf8, "utf-8": .utf8, "cesu8": .utf8, "ascii": .ascii, "latin1": .isoLatin1, "iso-8859-1": .isoLatin1, "iso88591": .isoLatin1,
        "binary": .isoLatin1, "ucs2": .utf16LittleEndian, "ucs-2": .utf16LittleEndian, "utf16le": .utf16LittleEndian,
        "utf-16le": .utf16LittleEndian, "utf16": .utf16LittleEndian, "utf-16": .utf16LittleEndian, "utf16be": .utf16BigEndian,
        "utf32le": .utf32LittleEndian, "utf32be": .utf32BigEndian, "windows1252": .windowsCP1252, "win1252": .windowsCP1252,
        "windows-1252": .windowsCP1252, "cp1252": .windowsCP1252, "windows1250": .windowsCP1250, "windows1251": .windowsCP1251,
        "windows-1251": .windowsCP1251, "windows1253": .windowsCP1253, "windows1254": .windowsCP1254, "iso88592": .isoLatin2,
        "shiftjis": .shiftJIS, "eucjp": .japaneseEUC, "macroman": .macOSRoman,
        "us-ascii": .ascii, "iso-8859-2": .isoLatin2, "windows-1250": .windowsCP1250, "windows-1253": .windowsCP1253,
        "windows-1254": .windowsCP1254, "shift_jis": .shiftJIS, "euc-jp": .japaneseEUC
    ]

    private static func encoding(_ name: String) throws -> String.Encoding {
        guard let encoding = encodings[name.lowercased()] else {
            throw StepFailure.invalid("encoding", "The encoding '\(name)' is not supported.")
        }
        return encoding
    }

    /// - Parameter stripsMark: drops a byte order mark at the beginning.
    static func decode(_ bytes: [UInt8], _ name: String, stripsMark: Bool = true) throws -> String {
        switch name.lowercased() {
        case "base64": return Data(bytes).base64EncodedString()
        case "hex": return bytes.hexText
        default: break
        }
        return try text(bytes, encoding(name), stripsMark: stripsMark)
    }

    /// The text of an answer from the web, without a byte order mark: in the charset that the server names, else in UTF-8. A page that is no
    /// UTF-8 is read in the charset that it names itself.
    static func decode(_ bytes: [UInt8], charset: String?) -> String {
        if let encoding = charset.flatMap({ encodings[$0.lowercased()] }) { return text(bytes, encoding, stripsMark: true) }
        guard String(validating: bytes, as: UTF8.self) == nil else { return text(bytes, .utf8, stripsMark: true) }
        let head = String(decoding: bytes.prefix(1_024), as: UTF8.self).lowercased()
        let named = head.firstMatch(of: /charset\s*=\s*["']?([a-z0-9_-]+)/).map { String($0.output.1) }
        return text(bytes, named.flatMap { encodings[$0] } ?? .utf8, stripsMark: true)
    }

    private static func text(_ bytes: [UInt8], _ encoding: String.Encoding, stripsMark: Bool) -> String {
        var text: String
        switch encoding {
        case .utf8: text = String(decoding: bytes, as: UTF8.self)
        case .isoLatin1: text = String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
        default: text = String(data: Data(bytes), encoding: encoding) ?? String(decoding: bytes, as: UTF8.self)
        }
        if stripsMark, text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        return text
    }

    static func encode(_ text: String, _ name: String, addsMark: Bool = false) throws -> [UInt8] {
        let marked = addsMark ? "\u{FEFF}" + text : text
        switch name.lowercased() {
        case "base64": return Data(base64Encoded: text).map { [UInt8]($0) } ?? []
        case "hex": return hexBytes(text)
        default: break
        }
        let encoding = try encoding(name)
        if encoding == .utf8 { return Array(marked.utf8) }
        return [UInt8](marked.data(using: encoding, allowLossyConversion: true) ?? Data())
    }

    /// Base 64 as JavaScript's buffers read it: both alphabets, white space between, with or without padding.
    static func base64(_ text: String) -> [UInt8]? {
        var plain = text.utf8.filter { !($0 == 32 || (9...13).contains($0)) }
        while plain.last == UInt8(ascii: "=") { plain.removeLast() }
        let isValid = plain.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [43, 45, 47, 95].contains(byte)
        }
        guard isValid else { return nil }
        plain = plain.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 == UInt8(ascii: "_") ? UInt8(ascii: "/") : $0 }
        if plain.count % 4 == 1 { plain.removeLast() }
        plain += Array(repeating: UInt8(ascii: "="), count: (4 - plain.count % 4) % 4)
        return Data(base64Encoded: Data(plain)).map { [UInt8]($0) }
    }

    private static func hexBytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - digits.count % 2, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
}
