import Kernel
import Scripting
import Synchronization
import Testing

/// Values of roots and methods; the clock stands at Sunday, 1 March 2026, 13:30:15.250 in Berlin.
struct SandboxExpressionTests {
    let scope = SandboxScope(
        [["json": ["a": 1, "s": "x y", "none": nil], "binary": ["file": ["mimeType": "text/plain"]]], ["json": ["a": 2]]],
        nodes: ["Before": [["json": ["id": 10]], ["json": ["id": 11]]]], parameters: ["Here": ["url": "u"], "Before": ["mode": "m"]])

    func check(_ cases: [(String, JSON)], item: Int = 0) async throws {
        let blocks = cases.map { ScriptBlock(source: $0.0, itemIndex: item) }
        let values = try await Sandbox.shared.evaluate(blocks, tenant: .test(1), scope: scope)
        for ((source, expected), value) in zip(cases, values) {
            #expect(value == .success(.json(expected)), "\(source)")
        }
    }

    @Test func `the roots of the item`() async throws {
        try await check(
            [
                ("$json.a", 2), ("$data.a", 2), ("$itemIndex", 1), ("$input.item.json.a", 2), ("$input.first().json.a", 1),
                ("$input.last().json.a", 2), ("$input.all().length", 2), ("$input.params.mode", "m"),
                ("$input.context.currentRunIndex", 4), ("$thisItem.json.a", 2), ("$items().length", 2), ("$item(0).$json.a", 1)
            ], item: 1)
        try await check([("$binary.file.mimeType", "text/plain")])
    }

    @Test func `the roots of other nodes`() async throws {
        try await check(
            [
                ("$('Before').item.json.id", 11), ("$('Before').first().json.id", 10), ("$('Before').last().json.id", 11),
                ("$('Before').all().map(i => i.json.id)", [10, 11]), ("$('Before').itemMatching(0).json.id", 10),
                ("$('Before').pairedItem(0).json.id", 10),
                ("$('Before').params.mode", "m"), ("$('Before').context.currentRunIndex", 4), ("$('Before').isExecuted", true),
                ("$('Elsewhere').isExecuted", false), ("$node['Before'].json.id", 11), ("$node.Before.parameter.mode", "m"),
                ("$items('Before').length", 2)
            ], item: 1)
    }

    @Test func `the roots of the run`() async throws {
        try await check([
            ("$workflow.name", "Orders"), ("$execution.id", "e1"), ("$execution.resumeUrl", "http://x/resume"), ("$prevNode.outputIndex", 1),
            ("$vars.region", "eu"), ("$mode", "manual"), ("$runIndex", 2), ("$parameter.url", "u"), ("$pageCount", 3),
            ("$now.toISO()", "2026-03-01T13:30:15.250+01:00"), ("$today.toISO()", "2026-03-01T00:00:00.000+01:00"),
            ("new Date().toISOString()", "2026-03-01T12:30:15.250Z"), ("Date.now()", 1_772_368_215_250),
            ("$jmespath({a: [{b: 1}, {b: 2}]}, 'a[*].b')", [1, 2]), ("$if($json.a == 1, 'yes', $json.q.w.e)", "yes"), ("$ifEmpty('', 5)", 5),
            ("$min(3, 1)", 1), ("$max(3, 1)", 3), ("$average(1, 3)", 2), ("$fromAI('x', 'd', 'string', 'given')", "given"),
            ("$execution.customData.set('k', 'v'), $execution.customData.get('k')", "v")
        ])
    }

    @Test func `methods of texts`() async throws {
        try await check([
            ("'a@b.de'.isEmail()", true), ("'Hello World'.toSnakeCase()", "hello_world"), ("'hello world'.toTitleCase()", "Hello World"),
            ("'abc'.hash('sha256')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("'abc'.hash()", "900150983cd24fb0d6963f7d28e17f72"),
            ("'abc'.hash('sha3').slice(0, 24)", "b751850b1a57168a5693cd92"), ("'é'.hash('SHA3').length", 128),
            ("'5'.toNumber() + 1", 6), ("'x'.base64Encode().base64Decode()", "x"), ("'<b>x</b>'.removeTags()", "x"), ("'{\"a\":1}'.parseJson().a", 1),
            ("'https://a.example.com/p?q'.extractDomain()", "a.example.com"), ("'**bold** [l](u)'.removeMarkdown()", "bold l"),
            ("'Crème'.replaceSpecialChars()", "Creme"),
            ("'no'.toBoolean()", false), ("' '.isBlank()", true), ("'mail a@b.de now'.extractEmail()", "a@b.de"), ("'x'.quote()", "\"x\""),
            ("`x ${'a b'.urlEncode()} y`", "x a%20b y"), ("$json.missing.isEmpty()", true), ("$json.s.isNotEmpty()", true)
        ])
    }

    @Test(arguments: [
        (
            "'hello world of THE rings: see https://x.de on my iPhone, step-by-step'.toTitleCase()",
            "Hello World of THE Rings: See https://x.de on My iPhone, Step-by-Step"
        ),
        ("'# Head\\n\\n* one\\n1. two\\n\\n\\n![i](u)<b>x</b> `c` ~~s~~'.removeMarkdown()", "Head\n\none\ntwo\n\nx c s"),
        ("'écoute! ok.fine 50%'.toSentenceCase()", "Écoute! Ok.Fine 50%"), ("'Grün-Weiß (neu)'.toSnakeCase()", "grün_weiß_neu"),
        ("'Bo <a@b.de>'.extractEmail()", "a@b.de"), ("'https://www.example.net:80/p?q#h'.extractDomain()", "www.example.net"),
        ("'http://localhost:8080/a'.extractDomain()", "localhost"), ("'//example.com'.extractDomain()", "example.com"),
        ("'at https://a.de/x?y#z, now'.extractUrl()", "https://a.de/x?y#z,"), ("'https://a.de?x=1'.extractUrlPath()", "/"),
        ("'https://a.de/b/c#d?e'.extractUrlPath()", "/b/c"), (#"'a"b\\c'.quote()"#, #""a\"b\\c""#), ("'<b>x</b> <i'.removeTags()", "x "),
        ("({n: \"Mr N's\", l: [1, 2]}).urlEncode()", "n=Mr+N%27s&l=1%2C2")
    ])
    func `methods of texts that give texts as n8n does`(source: String, expected: String) async throws {
        #expect(try await evaluate(source) == .json(.string(expected)))
    }

    @Test func `what a text is, and the number in it, is told as n8n does`() async throws {
        try await check([
            ("['https://a.de/', 'https://a.de?x', 'http:///', 'www.a.de', 'ws://a.de'].map(u => u.isUrl())", [true, true, false, false, false]),
            ("['a.de', 'www.a.de:80', 'localhost', 'a', 'a..de', 'https://a.de'].map(u => u.isDomain())", [true, true, true, false, false, false]),
            ("['', '4e4', '1 2', '0x1', 'x'].map(t => t.isNumeric())", [false, true, false, true, false]),
            ("['a@b.de', 'a @b.de', 'a@b'].map(t => t.isEmail())", [true, false, false]),
            ("['off', ' no', 'No', '0', ''].map(t => t.toBoolean())", [true, true, false, false, false]),
            ("['€ 12.5', 'R$ 3', 'CHF 4', ''].map(t => t.toNumber())", [12.5, 3, 4, 0]), ("'10 apples'.toInt()", 10), ("'$5.50'.toFloat()", 5.5),
            ("'see example.org now'.extractDomain() === undefined", true), ("'hi'.extractUrlPath() === undefined", true)
        ])
    }

    @Test func `methods of lists, objects and numbers do what n8n's do`() async throws {
        try await check([
            ("[{a: 1, b: 2}, 3, {c: 1}, {b: 5}].pluck('b', 'a')", [[1, 2], 5]), ("[{a: 1}, {b: 2}, {a: 3}].merge()", ["a": 1, "b": 2]),
            ("[{n: 1}, {o: 2}].merge([{p: 3}, {n: 4}])", ["n": 4, "p": 3, "o": 2]),
            ("[{a: 1, b: 2}, {b: 2, a: 1}].unique()", [["a": 1, "b": 2]]), ("[1, 1, 2, 3].difference([3])", [1, 2]),
            ("({w: {v: ''}, u: {}, l: [1]}).compact()", ["w": [:], "l": ["0": 1]]), ("[1].toInt() ?? 'none'", "none"),
            ("[{a: 1, b: 2}].renameKeys('a', 'c')", [["b": 2, "c": 1]]), ("(1.005).round(2)", 1), ("(1.256).ceil()", 2), ("(2.7).toInt()", 3),
            ("[(0).isEmpty(), (5).isEmpty(), false.isEmpty()]", [true, false, true]), ("$if(false, 1)", false)
        ])
    }

    @Test func `methods of lists, objects, numbers and booleans`() async throws {
        try await check([
            ("[1, 2, 3].sum()", 6), ("[1, 2, 2].unique()", [1, 2]), ("[{a: 1}, {a: 2}].pluck('a')", [1, 2]), ("[1, 2, 3].chunk(2)", [[1, 2], [3]]),
            ("[1, 2].union([2, 3])", [1, 2, 3]), ("[1, 2].difference([2])", [1]), ("[1, 2].intersection([2])", [2]), ("[1].append(2)", [1, 2]),
            ("[{k: 'a', v: 1}].smartJoin('k', 'v')", ["a": 1]), ("[1, '', null].compact()", [1]), ("[{a: 1}].renameKeys('a', 'b')", [["b": 1]]),
            ("({a: null, b: 1}).compact()", ["b": 1]), ("({z: 2}).keys()", ["z"]), ("({z: 2}).hasField('z')", true),
            ("({a: 1, b: 2}).removeField('a')", ["b": 2]),
            ("(3.14159).round(2)", 3.14), ("(1234.5).format('de-DE')", "1.234,5"), ("(4).isEven()", true), ("true.toInt()", 1),
            ("(0).toDateTime('s').toUTC().year", 1970)
        ])
    }

    @Test func `data wins over methods of the same name, and no built-in is changed`() async throws {
        try await check([
            ("({values: 3}).values", 3), ("'values' in $json", false), ("Object.keys(Object.prototype).length", 0), ("[3, 1].sort()", [1, 3])
        ])
        #expect(try await evaluate("$json.values") == .undefined)
    }

    @Test func `an expression cannot change what the next one reads`() async throws {
        try await check([("($json.a = 9, $json.a)", 9), ("$json.a", 1), ("$input.all().reverse()[0].json.a", 2), ("$input.all()[0].json.a", 1)])
    }

    @Test func `statements give the value of the last one`() async throws {
        try await check([("const q = 3; q * 2", 6), ("{a: 1}", ["a": 1]), ("(() => { return 4 })()", 4), ("$json.a;", 1)])
    }

    @Test func `a name that nothing has is undefined`() async throws {
        try await check([
            ("$json.none || $nowhere || 'nothing'", "nothing"), ("[nobody, $nowhere, 3].compact()", [3]), ("typeof nobody", "undefined")
        ])
        await #expect(throws: ScriptError.self) { try await evaluate("nobody.name", scope) }
    }

    @Test func `a chain ends at a question mark where there is no value`() async throws {
        try await check([
            ("$json.q?.toTitleCase() ?? 'none'", "none"), ("$json.q?.first().name.x || 'none'", "none"), ("$json.q?.[0].n.toTitleCase() ?? 1", 1),
            ("$json.s?.toTitleCase()", "X Y"), ("[{n: 'a b'}]?.first()?.n.toTitleCase().length", 3), ("`${$json.q?.hash() ?? 'n'} y`", "n y"),
            ("[{}].map(p => p.q?.toTitleCase() ?? 'x').first()", "x"), ("$if($json.q?.toTitleCase(), 1, 2)", 2)
        ])
        #expect(try await evaluate("$json.q?.isEmpty()", scope) == .undefined)
    }

    @Test func `n8n's methods follow those that every value has`() async throws {
        try await check([
            ("$json.a.toString().hash()", "c4ca4238a0b923820dcc509a6f75849b"), ("$json.s.valueOf().toTitleCase()", "X Y"),
            ("$json.hasOwnProperty('a').toInt()", 1)
        ])
    }

    @Test func `n8n's methods are refused on what is not there`() async throws {
        for name in ["toTitleCase", "toJsonString", "isBlank"] {
            let error = await #expect(throws: ScriptError.self) { try await evaluate("$json.q.\(name)()", scope) }
            #expect(error?.kind == .data && error?.message == "\(name) can't be used on undefined value")
        }
        try await check([("$json.q.isEmpty()", true), ("$json.none.isNotEmpty()", false)])
    }

    @Test func `chance and identifiers repeat with the seed`() async throws {
        let first = try await evaluate("[Math.random(), crypto.randomUUID()]")
        #expect(try await evaluate("[Math.random(), crypto.randomUUID()]") == first)
        var facts = SandboxScope.standardFacts
        facts.seed = 8
        #expect(try await evaluate("[Math.random(), crypto.randomUUID()]", SandboxScope(facts: facts)) != first)
    }

    @Test func `errors carry their kind and place`() async throws {
        func fault(_ source: String) async -> ScriptError? {
            do { try await evaluate(source, scope); return nil } catch { return error as? ScriptError }
        }
        #expect(await fault("1 +")?.kind == .syntax)
        let thrown = await fault("$json.a.b.c")
        #expect(thrown?.kind == .runtime)
        #expect(thrown?.line == 1)
        let data = await fault("$('Nowhere').first()")
        #expect(data?.kind == .data)
        #expect(data?.message == "there is no node \"Nowhere\"")
        #expect(await fault("() => 1")?.kind == .data)
        #expect(await fault("$env.HOME")?.kind == .data)
    }

    @Test func `node data is fetched only when it is read, and once`() async throws {
        let blocks = [0, 1].map { ScriptBlock(source: "$('Before').first().json.id + $('Before').all().length", itemIndex: $0) }
        let fresh = SandboxScope([["json": [:]]], nodes: ["Before": [["json": ["id": 1]]]])
        _ = try await Sandbox.shared.evaluate(blocks, tenant: .test(1), scope: fresh)
        #expect(fresh.asked.withLock { $0 } == ["items Before 0 last"])
    }
}
