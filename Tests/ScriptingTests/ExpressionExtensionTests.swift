import Kernel
import Scripting
import Testing

/// Values follow from n8n's documentation of its data transformation functions.
@Suite struct `n8n's methods` {
    @Test(arguments: Case.extensions)
    func `of strings, numbers, arrays and objects`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test(arguments: [
        "$json.missing.toInt()", "$json.nothing.round()", "'x'.parseJson()", "'1,5'.toFloat()", "(1.5).isEven()", "[1, 'a'].sum()", "[].smartJoin('a')", "[1].union(2)", "({}).removeFieldsContaining('')",
        "$now.isBetween('2024-01-01')", "(5).toDateTime('weeks')",
    ])
    func `called on the wrong thing are errors`(_ source: String) throws {
        let error = #expect(throws: ScriptError.self) { try native(source) }
        #expect(error?.kind == .data)
    }

    @Test func `called through an optional chain are undefined`() throws {
        #expect(try native("$json.missing?.toInt()") == .value(.undefined))
        #expect(try native("$json.missing?.a.toInt()") == .value(.undefined))
    }

    @Test(arguments: ["'abc'.hash()", "'a'.toTitleCase()", "'é'.replaceSpecialChars()", "'**b**'.removeMarkdown()", "'a@b.de'.isEmail()", "[1].randomItem()", "(1234.5).format('de-DE')", "$now.toLocaleString()", "'10 apples'.toInt()"])
    func `that are not done natively go to the sandbox`(_ source: String) throws { #expect(try native(source) == .needsSandbox) }
}

extension Case {
    static let extensions: [Case] = [
        Case("'5'.toInt()", 5), Case("'5.9'.toInt()", 5), Case("'$5.50'.toFloat()", 5.5), Case("'12.5'.toNumber()", 12.5), Case("'false'.toBoolean()", false), Case("'No'.toBoolean()", false),
        Case("'yes'.toBoolean()", true), Case("''.isEmpty()", true), Case("' '.isEmpty()", false), Case("' '.isBlank()", true), Case("'12'.isNumeric()", true), Case("'1 2'.isNumeric()", false),
        Case("'a'.isNotEmpty()", true), Case("'Hello World'.toSnakeCase()", "hello_world"), Case("'hello world. how are you?'.toSentenceCase()", "Hello world. How are you?"),
        Case("'a b&c'.urlEncode()", "a%20b%26c"), Case("'a%20b'.urlDecode()", "a b"), Case("'hello'.base64Encode()", "aGVsbG8="), Case("'aGVsbG8='.base64Decode()", "hello"),
        Case("'<b>bold</b> <i'.removeTags()", "bold "), Case("'{\"a\":[1]}'.parseJson()", ["a": [1]]), Case("'a\"b'.toJsonString()", #""a\"b""#), Case(#"'a"b'.quote()"#, #""a\"b""#), Case("'abc'.length()", 3),
        Case("$json.missing.isEmpty()", true), Case("$json.nothing.isEmpty()", true), Case("$json.missing.isNotEmpty()", false), Case("$json.name.isNotEmpty()", true), Case("$json.price.toFloat() + 1", 13.5),
        Case("(1.234).ceil()", 2), Case("(1.234).floor()", 1), Case("(1.256).round(2)", 1.26), Case("(1.5).round()", 2), Case("(4).isEven()", true), Case("(-3).isOdd()", true), Case("(-1.5).abs()", 1.5),
        Case("(4.5).isInteger()", false), Case("(0).toBoolean()", false), Case("true.toInt()", 1), Case("false.toNumber()", 0), Case("(1708695471).toDateTime('s').toUTC().toISO()", "2024-02-23T13:37:51.000Z"),
        Case("(45345).toDateTime('excel')", "2024-02-23T00:00:00.000Z"),
        Case("[1,2,3].first()", 1), Case("[1,2,3].last()", 3), Case("[1,2,3].sum()", 6), Case("[4,1,2].min()", 1), Case("[4,1,2].max()", 4), Case("[1,2,6].average()", 3), Case("[].average()", 0),
        Case("[1,2,2,'2'].unique()", [1, 2, "2"]), Case("[{a:1,b:1},{a:1,b:2}].removeDuplicates('a')", [["a": 1, "b": 1]]), Case("[{a:1},{a:1}].unique()", [["a": 1]]),
        Case("[2, null, 1, '', undefined].compact()", [2, 1]), Case("[1,2,3,4,5].chunk(2)", [[1, 2], [3, 4], [5]]), Case("$json.people.pluck('n')", ["Bo", "Al"]), Case("$json.people.pluck('n','v')", [["Bo", 2], ["Al", 1]]),
        Case("[{k:'a',v:1},{k:'b',v:2}].smartJoin('k','v')", ["a": 1, "b": 2]), Case("[{name:'bob'}].renameKeys('name','x')", [["x": "bob"]]), Case("[1,2].union([2,3])", [1, 2, 3]),
        Case("[1,2,3].difference([2,3])", [1]), Case("[1,2].intersection([2,3])", [2]), Case("[1].append(2, [3])", [1, 2, [3]]), Case("[{a:1},{b:2},{a:3}].merge()", ["a": 1, "b": 2]),
        Case("[].isEmpty()", true), Case("[1].isNotEmpty()", true), Case("[1,{a:2}].toJsonString()", #"[1,{"a":2}]"#),
        Case("({}).isEmpty()", true), Case("({a:1}).keys()", ["a"]), Case("({a:1}).values()", [1]), Case("({a:1}).hasField('a')", true), Case("({a:1}).hasField('b')", false), Case("({a:1,b:2}).removeField('a')", ["b": 2]),
        Case("({a:'Mr X',b:'Y',c:1}).removeFieldsContaining('Mr')", ["b": "Y", "c": 1]), Case("({a:'Mr X',b:'Y',c:1}).keepFieldsContaining('Mr')", ["a": "Mr X"]),
        Case("({x:null,y:2,z:'',w:{v:''} ,u:{} }).compact()", ["y": 2, "w": [:]]), Case("({name:'Mr N', city:'ha/noi'}).urlEncode()", "name=Mr+N&city=ha%2Fnoi"), Case("$json.a.toJsonString()", #"{"b":{"c":"deep"}}"#),
        Case("$json.when.format('dd/MM/yyyy')", "05/03/2024"), Case("$json.when.isWeekend()", false),
    ]
}
