import Kernel
import Scripting
import Testing

/// Values follow from ECMA-262.
@Suite struct `Built-in methods` {
    @Test(arguments: Case.strings)
    func `of strings`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test(arguments: Case.arrays)
    func `of arrays`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test(arguments: Case.numbers)
    func `of numbers`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test(arguments: Case.objects)
    func `of objects, JSON and URIs`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test func `that throw make the block undefined`() throws {
        for source in ["JSON.parse('{')", "JSON.stringify(undefined)", "[].reduce((a, b) => a)", "'a'.repeat(-1)", "decodeURIComponent('%')", "$json.age()", "Object.keys(null)", "[...5]"] {
            #expect(try native(source) == .value(.undefined), "\(source)")
        }
    }
}

extension Case {
    static let strings: [Case] = [
        Case("' a b \u{a0}\u{feff}'.trim()", "a b"), Case("' a '.trimStart()", "a "), Case("' a '.trimEnd()", " a"), Case("'aB'.toUpperCase()", "AB"), Case("'straße'.toUpperCase()", "STRASSE"),
        Case("'ÄB'.toLowerCase()", "äb"), Case("'a,b,c'.split(',')", ["a", "b", "c"]), Case("'a,b,c'.split(',', 2)", ["a", "b"]), Case("'abc'.split('')", ["a", "b", "c"]),
        Case("''.split(',')", [""]), Case("'abc'.split()", ["abc"]), Case("'a-b-c'.replace('-', '+')", "a+b-c"), Case("'a-b-c'.replaceAll('-', '+')", "a+b+c"),
        Case(#"'a\nb\nc'.replace(/\n/g, ' ')"#, "a b c"), Case(#"'a.b.c'.replace(/\./, '-')"#, "a-b.c"), Case(#"'a/b'.split(/\//)"#, ["a", "b"]), Case("'abc'.replace('x', 'y')", "abc"),
        Case("'Hello'.slice(1, 3)", "el"), Case("'Hello'.slice(-3)", "llo"), Case("'Hello'.slice(3, 1)", ""), Case("'Hello'.substring(3, 1)", "el"), Case("'Hello'.substring(2)", "llo"),
        Case("'Hello'.substr(1, 2)", "el"), Case("'Hello'.substr(-2)", "lo"), Case("'Hello'.includes('ell')", true), Case("'Hello'.startsWith('He')", true), Case("'Hello'.endsWith('lo')", true),
        Case("'Hello'.indexOf('l')", 2), Case("'Hello'.indexOf('l', 3)", 3), Case("'Hello'.indexOf('x')", -1), Case("'Hello'.lastIndexOf('l')", 3), Case("'abc'.charAt(1)", "b"),
        Case("'abc'.charAt(9)", ""), Case("'abc'.at(-1)", "c"), Case("'abc'[0]", "a"), Case("'abc'.charCodeAt(0)", 97), Case("'5'.padStart(3, '0')", "005"), Case("'5'.padEnd(3, 'ab')", "5ab"),
        Case("'5'.padStart(4)", "   5"), Case("'ab'.repeat(3)", "ababab"), Case("'a'.concat('b', 1)", "ab1"), Case("'😀'.length", 2), Case("'a😀b'.indexOf('b')", 3), Case("'é😀'.slice(1)", "😀"),
        Case("'a'.toString()", "a"), Case("'😀'.at(2) === undefined", true), Case("'abcabc'.replaceAll('b', '')", "acac"), Case("'ab'.includes('')", true), Case("'x'.padStart(3, '')", "x"),
    ]

    static let arrays: [Case] = [
        Case("[1,2,3].map(x => x * 2)", [2, 4, 6]), Case("[1,2,3].map((x, i) => i)", [0, 1, 2]), Case("[1,2,3].filter(x => x > 1)", [2, 3]), Case("[1,2,3].find(x => x > 1)", 2),
        Case("[1,2,3].findIndex(x => x > 5)", -1), Case("[1,2,3].some(x => x > 2)", true), Case("[1,2,3].every(x => x > 2)", false), Case("[1,2,3].reduce((a, b) => a + b, 0)", 6),
        Case("[1,2,3].reduce((a, b) => a + b)", 6), Case("['a','b'].join()", "a,b"), Case("['a',null,undefined,'b'].join('-')", "a---b"), Case("[[1,[2]],3].join(';')", "1,2;3"),
        Case("[1,2,3,4].slice(1, -1)", [2, 3]), Case("[1].concat([2,3], 4)", [1, 2, 3, 4]), Case("[1,2].includes(2)", true), Case("[NaN].includes(NaN)", true), Case("[NaN].indexOf(NaN)", -1),
        Case("['a','b'].indexOf('b')", 1), Case("[1,[2,[3]]].flat()", [1, 2, [3]]), Case("[1,[2,[3]]].flat(2)", [1, 2, 3]), Case("[1,2].flatMap(x => [x, x])", [1, 1, 2, 2]),
        Case("[3,1,10,2].sort()", [1, 10, 2, 3]), Case("[3,1,10,2].sort((a, b) => a - b)", [1, 2, 3, 10]), Case("[1,2,3].reverse()", [3, 2, 1]), Case("'a/b/c'.split('/').pop()", "c"),
        Case("[1,2,3].at(-1)", 3), Case("[1,2].length", 2), Case("[0,1,'',null,'a'].filter(Boolean)", [1, "a"]), Case("['1','2'].map(Number)", [1, 2]), Case("[1,2].map(String)", ["1", "2"]),
        Case("$json.people.map(p => p.n).join(', ')", "Bo, Al"), Case("$json.people.find(p => p.v === 1).n", "Al"), Case("$json.people.slice().sort((a, b) => a.v - b.v)[0].n", "Al"),
        Case("Array.isArray($json.tags)", true), Case("Array.isArray('a')", false), Case("Array.from('ab')", ["a", "b"]), Case("Array.from({ length: 3 }, (_, i) => i)", [0, 1, 2]),
        Case("[1,2,3].findLast(x => x < 3)", 2), Case("[...'ab', ...[1]]", ["a", "b", 1]), Case("['b', undefined, 'a'].sort()", ["a", "b", nil]), Case("$json.tags.toString()", "x,y,z"),
    ]

    static let numbers: [Case] = [
        Case("(1.005).toFixed(2)", "1.00"), Case("(2.5).toFixed(0)", "3"), Case("(-2.5).toFixed(0)", "-3"), Case("(0.5).toFixed(0)", "1"), Case("(1.45).toFixed(1)", "1.4"), Case("(8.345).toFixed(2)", "8.35"),
        Case("(10).toFixed(2)", "10.00"), Case("(0).toFixed(2)", "0.00"), Case("(-1.5).toFixed(0)", "-2"), Case("(0.000001).toFixed(7)", "0.0000010"), Case("(1e21).toFixed(2)", "1e+21"), Case("(9.995).toFixed(2)", "9.99"),
        Case("(99.5).toFixed(0)", "100"), Case("(-0.0000001).toFixed(2)", "-0.00"), Case("(255).toString(16)", "ff"), Case("(5).toString()", "5"), Case("Math.round(2.5)", 3), Case("Math.round(-2.5)", -2),
        Case("Math.round(0.49999999999999994)", 0), Case("Math.floor(-1.5)", -2), Case("Math.ceil(1.2)", 2), Case("Math.max(1, '3', 2)", 3), Case("Math.min()", .number(.infinity)), Case("Math.abs(-3)", 3), Case("Math.trunc(-1.7)", -1),
        Case("Math.sqrt(16)", 4), Case("Math.pow(2, 10)", 1024), Case("Math.sign(-3)", -1), Case("Math.max(...[1, 5, 2])", 5), Case("Number('12.5')", 12.5), Case("Number('')", 0), Case("Number(null)", 0), Case("Number([5])", 5),
        Case("parseInt('12px')", 12), Case("parseInt('0x1f')", 31), Case("parseInt('101', 2)", 5), Case("parseInt(' -7.9')", -7), Case("parseFloat('3.14abc')", 3.14), Case("parseFloat('.5')", 0.5), Case("parseFloat('1e3x')", 1000),
        Case("isNaN('abc')", true), Case("isNaN('')", false), Case("Number.isInteger(5)", true), Case("Number.isInteger('5')", false), Case("String(null)", "null"), Case("String([1, 2])", "1,2"), Case("Boolean('')", false),
        Case("Number.MAX_SAFE_INTEGER", 9007199254740991), Case("isFinite('5')", true), Case("parseInt('9007199254740993')", 9007199254740992),
    ]

    static let objects: [Case] = [
        Case("Object.keys($json.a)", ["b"]), Case("Object.values({ a: 1, b: 2 })", [1, 2]), Case("Object.entries({ a: 1 })", [["a", 1]]), Case("Object.entries({ a: 1, b: 2 }).map(([k, v]) => k + v)", ["a1", "b2"]),
        Case("Object.fromEntries([['a', 1]])", ["a": 1]), Case("Object.assign({}, { a: 1 }, null, { b: 2 })", ["a": 1, "b": 2]), Case("$json.a.hasOwnProperty('b')", true), Case("Object.keys([5, 6])", ["0", "1"]),
        Case("JSON.stringify({ a: [1, 'x', null, true], u: undefined })", #"{"a":[1,"x",null,true]}"#), Case("JSON.stringify('a\"b')", #""a\"b""#), Case("JSON.stringify([undefined, NaN])", "[null,null]"),
        Case("JSON.stringify({ a: 1, b: [] }, null, 2)", "{\n  \"a\": 1,\n  \"b\": []\n}"), Case("JSON.stringify($now)", "\"2024-01-31T12:34:56.789Z\""), Case("JSON.parse('{\"a\":[1]}').a[0]", 1), Case("JSON.stringify({ 2: 1, 1: 2 })", #"{"1":2,"2":1}"#),
        Case("encodeURIComponent('a b&c/ü')", "a%20b%26c%2F%C3%BC"), Case("encodeURI('a b&c/ü')", "a%20b&c/%C3%BC"), Case("decodeURIComponent('a%20b')", "a b"), Case("JSON.stringify($json.people)", #"[{"n":"Bo","v":2},{"n":"Al","v":1}]"#),
        Case("String.fromCharCode(65, 10)", "A\n"),
    ]
}
