import Kernel
import Testing

/// What is appended is what parsing and writing give, or nothing.
@Suite struct JSONCompactingTests {
    private func compact(_ text: String) -> String? {
        var out = Array("x".utf8)
        guard JSON.appendCompact(Array(text.utf8), to: &out) else {
            #expect(out == Array("x".utf8), "nothing is left of what was refused")
            return nil
        }
        return String(decoding: out.dropFirst(), as: UTF8.self)
    }

    @Test(arguments: [
        "{}", "[]", "null", " true ", "-1", "0", "12.5", "0.000001", "123456789012345", #""a b""#, #""\n\"\\""#, #""\t\r\b\f""#, "[1, 2 ,3]",
        "\n{ \"a\" :\t[ ] , \"b\":{\"c\":false}}\r\n",
        #"{"naïve":"😀 ü"}"#, "[[[[[1]]]]]", #"{"a":"","b":[{},{"c":null}]}"#, "-0.5", "[0.1,1.25,-7.75]"
    ])
    func `space goes, all else stays`(_ text: String) throws {
        #expect(compact(text) == (try JSON(parsing: text)).serialized)
    }

    @Test(arguments: [
        "1.0", "1.50", "-0", "1e5", "1E-2", "1234567890123456", "0.0000001", #""\/""#, #""\u00e9""#, #"{"a":10.0}"#
    ])
    func `what would be written otherwise is refused, though it is JSON`(_ text: String) throws {
        _ = try JSON(parsing: text)
        #expect(compact(text) == nil)
    }

    @Test(arguments: [
        "", " ", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "01", "-", "1.", ".5", "tru", "nul", "\"a", "\"a\nb\"", "[1]]", "{} {}",
        "\"\\x\"", "\u{1}", "[1 2]",
        "{\"a\":1,}", "+1", "NaN", "\"\\"
    ])
    func `what is no JSON is refused`(_ text: String) {
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: text) }
        #expect(compact(text) == nil)
    }

    @Test(arguments: [0x00, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x7F, 0x80, 0xE9, 0x1F600] as [UInt32])
    func `a character is seen wherever it stands in a string`(_ code: UInt32) throws {
        let character = String(try #require(Unicode.Scalar(code)))
        for before in 0...17 {
            for after in [0, 1, 7, 8, 20] {
                let text = String(repeating: "a", count: before) + character + String(repeating: "b", count: after)
                let written = JSON.string(text).serialized
                #expect(try JSON(parsing: written) == .string(text))
                let raw = "\"\(text)\""
                #expect(compact(raw) == (try? JSON(parsing: raw))?.serialized)
            }
        }
    }

    @Test func `invalid UTF-8 and too deep a nesting are refused`() {
        var out: [UInt8] = []
        #expect(!JSON.appendCompact([0x22, 0xFF, 0x22], to: &out) && out.isEmpty)
        let depth = Limits.jsonDepth
        #expect(compact(String(repeating: "[", count: depth) + String(repeating: "]", count: depth)) != nil)
        #expect(compact(String(repeating: "[", count: depth + 1) + String(repeating: "]", count: depth + 1)) == nil)
    }

    @Test func `random texts give what parsing and writing give`() throws {
        var random = SystemRandomNumberGenerator()
        func value(_ depth: Int) -> String {
            switch Int.random(in: 0...(depth > 3 ? 4 : 6), using: &random) {
            case 0: return ["true", "false", "null"].randomElement(using: &random)!
            case 1: return "\(Int.random(in: -1_000_000...1_000_000, using: &random))"
            case 2: return "\(Double(Int.random(in: -99_999...99_999, using: &random)) / 1_000)"
            case 3: return #""é\n x""#
            case 4: return "\"\(Int.random(in: 0...9, using: &random))\""
            case 5: return "[ " + (0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth + 1) }.joined(separator: " ,\n") + " ]"
            default:
                return "{" + (0..<Int.random(in: 0...4, using: &random)).map { "\"k\($0)\" : \(value(depth + 1))" }.joined(separator: ", ") + "}"
            }
        }
        for _ in 0..<2_000 {
            let text = value(0)
            if let done = compact(text) { #expect(done == (try JSON(parsing: text)).serialized, "\(text)") }
        }
    }
}
