import Kernel
import Scripting
import Testing

@Suite struct `Expression templates` {
    let expressions = Expressions(scripts: nil)

    @Test(arguments: [
        Case("plain", "plain"),
        Case("=plain", "plain"),
        Case("=", ""),
        Case("={{ $json.age }}", 36),
        Case("={{ $json.tags }}", ["x", "y", "z"]),
        Case("={{$json.age}}", 36),
        Case("= {{ $json.age }}", " 36"),
        Case("={{ $json.age }} ", "36 "),
        Case("=Hi {{ $json.name }}, {{ $json.age }}!", "Hi Ada, 36!"),
        Case("={{ $json.name }}{{ $json.age }}", "Ada36"),
        Case("=[{{ $json.missing }}|{{ $json.nothing }}|{{ $json.zero }}|{{ false }}|{{ NaN }}]", "[||0|false|]"),
        Case("=[{{ $json.missing.deeper.still }}]", "[]"),
        Case("=tags: {{ $json.tags }}", "tags: x,y,z"),
        Case("=obj: {{ $json.a }}", "obj: [object Object]"),
        Case("=at {{ $now }}", "at 2024-01-31T12:34:56.789Z"),
        Case(#"=\{{ no }} {{ 1 }}"#, "{{ no }} 1"),
        Case(#"={{ "a\}}b" }}"#, "a}}b"),
        Case("={{ $json.age", 36),
        Case("={{ $json.age; }}", 36),
        Case("={{ /* age */ $json.age // of Ada\n }}", 36),
        Case("={{ { a: 1 } }}", ["a": 1]),
        Case("={{ `a\nb` }}", "a\nb"),
        .undefined("={{ $json.missing }}"),
        .undefined("={{ $json.missing.deeper }}"),
        .undefined("={{ }}"),
    ])
    func `give text, or the value of an only block`(_ given: Case) throws {
        #expect(try expressions.evaluateNatively(given.text, scope: FixtureScope(), itemIndex: 0) == .value(given.value))
    }

    @Test func `inside a value are evaluated however deep, and undefined members are left out`() async throws {
        let value: JSON = [
            "a": "={{ $json.name }}", "b": ["={{ $json.age }}", "x", "={{ $json.missing }}"], "c": ["d": "={{ $json.missing }}", "e": 1], "f": "text",
        ]
        let result = try await expressions.evaluate(value, tenant: TenantID(high: 1, low: 1), scope: FixtureScope(), itemIndex: 0)
        #expect(result == ["a": "Ada", "b": [36, "x", nil], "c": ["e": 1], "f": "text"])
    }

    @Test func `are evaluated for each item`() async throws {
        let results = try await expressions.evaluate("={{ $json.name }}", tenant: TenantID(high: 1, low: 1), scope: FixtureScope(), itemIndices: [1, 0])
        #expect(results == [.success(.json("Grace")), .success(.json("Ada"))])
    }

    @Test func `that need JavaScript say so where it may not run`() async throws {
        #expect(try native("(function () { return 1 })()") == .needsSandbox)
        await #expect(throws: ScriptError.self) {
            try await expressions.evaluate("={{ /a+/.test('a') }}", tenant: TenantID(high: 1, low: 1), scope: FixtureScope(), itemIndex: 0)
        }
    }

    @Test func `ask the runner once for all blocks that need it`() async throws {
        let runner = CountingRunner()
        let value: JSON = ["a": "={{ /x/.exec('x') }}", "b": ["=1{{ /y/.exec('y') }}2 {{ $json.name }}"], "c": "={{ $json.name }}"]
        let result = try await Expressions(scripts: runner).evaluate(value, tenant: TenantID(high: 1, low: 1), scope: FixtureScope(), itemIndex: 0)
        #expect(result == ["a": "answer 0", "b": ["1answer 12 Ada"], "c": "Ada"])
        #expect(await runner.rounds == 1)
    }

    @Test func `report data that cannot be given`() throws {
        let error = #expect(throws: ScriptError.self) { try native("$('Nowhere').item.json.x") }
        #expect(error?.kind == .data)
        #expect(error?.message == "There is no node \"Nowhere\".")
    }

    @Test(arguments: ["$json.constructor", "''['constructor']", "[].map.constructor('return 1')()", "$json.a.__proto__.x", "Math.constructor", "$json['proto' + 'type']", "(x => x).constructor", "$('Get').constructor"])
    func `refuse names that reach out of the data`(_ source: String) throws {
        let result = Result { try native(source) }
        switch result {
        case .success(let value): #expect(value == .needsSandbox)
        case .failure(let error): #expect((error as? ScriptError)?.kind == .data)
        }
    }

    @Test func `that call themselves end`() throws {
        var scope = FixtureScope()
        scope.parameters = ["url": "={{ $parameter.url }}"]
        #expect(throws: ScriptError.self) { try native("$parameter.url", scope: scope) }
    }
}

/// Answers every block with its place in the batch: what the engine's side of a round trip looks like without a sandbox.
actor CountingRunner: ScriptRunner {
    private(set) var rounds = 0

    func evaluate(_ blocks: [ScriptBlock], tenant: TenantID, scope: any ExpressionScope) async throws -> [Result<ExpressionValue, ScriptError>] {
        rounds += 1
        return blocks.indices.map { .success(.json(.string("answer \($0)"))) }
    }

    func run(_ script: Script, tenant: TenantID, scope: any ExpressionScope) async throws -> ScriptResult { throw ScriptError(.unavailable, "not here") }
}
