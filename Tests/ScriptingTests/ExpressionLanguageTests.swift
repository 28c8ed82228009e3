import Kernel
import Scripting
import Testing

/// Values follow from ECMA-262.
@Suite struct `Expression language` {
    @Test(arguments: Case.arithmetic)
    func `does arithmetic`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test(arguments: [
        Case("1 == '1'", true), Case("1 === '1'", false), Case("null == undefined", true), Case("null === undefined", false), Case("null == 0", false),
        Case("'' == 0", true), Case("'a' == 'a'", true), Case("[1] == 1", true), Case("[1,2] == '1,2'", true), Case("true == 'true'", false), Case("true == 1", true),
        Case("NaN == NaN", false), Case("NaN != NaN", true), Case("1 !== 2", true), Case("'b' > 'a'", true), Case("'B' > 'a'", false), Case("'10' < '9'", true),
        Case("'10' < 9", false), Case("null >= 0", true), Case("undefined >= 0", false), Case("undefined < 1", false), Case("'a' < 1", false), Case("[2] > 1", true),
        Case("'x' in {x: 1}", true), Case("'y' in {x: 1}", false), Case("0 in ['a']", true), Case("{} === 1", false),
        Case("1 < 2 === true", true), Case("'\u{e9}' === 'e\u{301}'", false),
    ])
    func `compares`(_ given: Case) throws { #expect(try native("(\(given.text))") == .value(given.value)) }

    @Test(arguments: Case.decisions)
    func `decides`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test(arguments: Case.values)
    func `makes values`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test(arguments: [
        "this", "x = 1", "a, b", "new Map()", "function () {}", "async () => 1", "await x", "let x = 1", "1n", "$json.a.b = 2", "delete $json.a", "$json.tags.sort()", "process.env",
        "$json.a === $json.a", "new Date(2024, 0, 1)", "'a'.localeCompare('b')", "(5).toLocaleString()", "'😀'.slice(0, 1)", "/a+/g", "$jmespath($json, 'a')", "x => x", "i++", "1 || 2 ?? 3", "[1].map(x => { return\nx })",
    ])
    func `leaves to the sandbox what it does not do exactly`(_ source: String) throws {
        let result = Result { try native(source) }
        if source == "x => x" {
            #expect(throws: ScriptError.self) { try result.get() }
        } else {
            #expect(try result.get() == .needsSandbox)
        }
    }

    @Test func `is not led astray by depth or length`() throws {
        #expect(try native(String(repeating: "(", count: 5_000) + "1" + String(repeating: ")", count: 5_000)) == .needsSandbox)
        #expect(try native(String(repeating: "!", count: 5_000) + "1") == .needsSandbox)
        #expect(try native(String(repeating: "[", count: 5_000)) == .needsSandbox)
        #expect(try native("'x'.repeat(1e9)") == .needsSandbox)
        #expect(try native("Array.from({ length: 2000 }).map(x => Array.from({ length: 2000 }).map(y => 1).length)") == .needsSandbox)
        #expect(throws: ScriptError.self) { try native(String(repeating: " ", count: 300_000)) }
    }
}

extension Case {
    static let arithmetic: [Case] = [
        Case("1 + 2 * 3", 7), Case("(1 + 2) * 3", 9), Case("2 ** 3 ** 2", 512), Case("7 % 3", 1), Case("-7 % 3", -1), Case("7 / 2", 3.5),
        Case("'a' + 1", "a1"), Case("1 + '2'", "12"), Case("1 + 2 + 'a'", "3a"), Case("'5' * '2'", 10), Case("'5' - 2", 3), Case("true + 1", 2),
        Case("null + 1", 1), Case("[] + []", ""), Case("[1,2] + 3", "1,23"), Case("({}) + 'x'", "[object Object]x"), Case("+'12'", 12), Case("-'3'", -3),
        Case("+''", 0), Case("+' 12 '", 12), Case("+'0x1F'", 31), Case("+'1e3'", 1000), Case("+'.5'", 0.5), Case("+'5.'", 5), Case("0.1 + 0.2", 0.30000000000000004),
        Case("1e21 + ''", "1e+21"), Case("123456789012345680000 + ''", "123456789012345680000"), Case("0.000001 + ''", "0.000001"), Case("1e-7 + ''", "1e-7"),
        Case("0xff", 255), Case("0b101", 5), Case(".5", 0.5), Case("5.", 5), Case("1e3", 1000),
        Case("5 & 3", 1), Case("5 | 3", 7), Case("5 ^ 3", 6), Case("~5", -6), Case("1 << 4", 16), Case("-16 >> 2", -4), Case("-1 >>> 28", 15), Case("4294967296 | 0", 0),
    ]

    static let decisions: [Case] = [
        Case("0 || 'x'", "x"), Case("'a' && 'b'", "b"), Case("0 && 'b'", 0), Case("null ?? 'd'", "d"), Case("0 ?? 'd'", 0), Case("!0", true), Case("!!'0'", true),
        Case("!![]", true), Case("1 ? 2 : 3", 2), Case("0 ? 1 : 0 ? 2 : 3", 3), Case("(false || null) ?? 'x'", "x"), Case("typeof 1", "number"), Case("typeof 'a'", "string"),
        Case("typeof undefined", "undefined"), Case("typeof null", "object"), Case("typeof []", "object"), Case("typeof (x => x)", "function"), Case("typeof true", "boolean"),
        Case("typeof $json.missing === 'undefined'", true), Case("$json.age > 30 && $json.name === 'Ada' ? 'yes' : 'no'", "yes"), Case("$json.nothing ?? 'none'", "none"),
        Case("$json.missing?.x ?? 'none'", "none"), Case("$json.missing?.[0] ?? 'none'", "none"), Case("1?.5:2", 0.5), Case("!$json.yes", false),
    ]

    static let values: [Case] = [
        Case(#"'a\nb\t\'\x41\u0042\u{43}\\'"#, "a\nb\t'ABC\\"), Case(#""it's""#, "it's"), Case("`1 + 1 = ${1 + 1}`", "1 + 1 = 2"), Case("`${$json.name} ${`in ${'x'}`}`", "Ada in x"),
        Case(#"'\uD83D\uDE00'"#, "😀"), Case("`${[1, [2, 3]]}|${ {} }|${null}|${undefined}`", "1,2,3|[object Object]|null|undefined"),
        Case("[1, 'a', [true], ...$json.tags]", [1, "a", [true], "x", "y", "z"]), Case("({ a: 1, 'b c': 2, 3: 4, ['d' + 1]: 5, ...{ a: 9 } })", ["a": 9, "b c": 2, "3": 4, "d1": 5]),
        Case("({ x: undefined, y: null })", ["y": nil]), Case("[undefined, 1]", [nil, 1]), Case("Object.keys({ b: 1, a: 2, 2: 3, 1: 4 })", ["1", "2", "b", "a"]),
        Case("((a, b) => a + b)(1, 2)", 3), Case("[[1, 2]].map(([a, b]) => a + b)", [3]), Case("[{ a: 1, b: 2 }].map(({ a, b: c }) => a + c)", [3]),
        Case("[1, 2].map(x => [3].map(y => x * y)[0])", [3, 6]), Case("[1, 2].map(x => { return x + 1; })", [2, 3]), Case("[1, 2].map(x => ({ v: x }))", [["v": 1], ["v": 2]]),
    ]
}
