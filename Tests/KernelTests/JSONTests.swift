import Kernel
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-1", "1.5", "1e+21", "1.7976931348623157e+308", "5e-324", "123456789012345680000", "0.000001", "1e-7",
        "\"\"", #""a\"b\\c\n\t\u0001é😀""#, "[]", "[1,[2,[]],{}]", #"{"b":1,"a":{"c":null}}"#
    ])
    func `a text is written as it was read`(_ text: String) throws {
        #expect(try JSON(parsing: text).serialized == text)
    }

    @Test(arguments: [
        ("1.0", "1"), ("-0", "0"), ("1E2", "100"), ("0.1e1", "1"), ("12345678901234567890", "12345678901234567000"),
        (#""\u0041\ud83d\ude00\/""#, #""A😀/""#),
        (#""\ud800x""#, "\"\u{FFFD}x\""), (#"{"a":1,"b":2,"a":3}"#, #"{"a":3,"b":2}"#), (" [ 1 , 2 ] ", "[1,2]"),
        ("100000000000000000000000", "1e+23")
    ])
    func `forms that mean the same become one`(_ text: String, _ expected: String) throws {
        #expect(try JSON(parsing: text).serialized == expected)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "01", "1.", ".5", "+1", "-", "1e", "[1,]", "[1 2]", "{\"a\"}", "{a:1}", "{\"a\":1,}", "\"a", "\"\\x\"", "\"\n\"", "[",
        "{",
        "1 2", "\"\\u12\"", "NaN"
    ])
    func `a malformed text is refused with a place`(_ text: String) {
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: text) }
    }

    @Test func `invalid UTF-8 and nesting without end are refused`() {
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: [0x22, 0xFF, 0x22] as [UInt8]) }
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: String(repeating: "[", count: 100_000)) }
    }

    @Test func `objects with the same members in another order are equal and keep their own order`() throws {
        let one = try JSON(parsing: #"{"a":1,"b":[{"c":2,"d":3}]}"#)
        let other = try JSON(parsing: #"{"b":[{"d":3,"c":2}],"a":1}"#)
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one.serialized != other.serialized)
        #expect(one != (try JSON(parsing: #"{"a":1,"b":[]}"#)))
    }

    @Test func `values that JSON cannot hold become null`() {
        #expect(JSON.array([.number(.nan), .number(.infinity)]).serialized == "[null,null]")
    }

    @Test func `whole numbers are written digit by digit`() {
        for value in [0, 9, 10, -1, -9, -10, 100, 1_790, -65_536, Int.max, Int.min, Int.min + 1] {
            var out = Array("[".utf8)
            JSON.writeInteger(value, to: &out)
            #expect(String(decoding: out, as: UTF8.self) == "[\(value)")
        }
    }
}
