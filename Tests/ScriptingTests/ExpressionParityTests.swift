import Kernel
import Scripting
import Testing

/// What is evaluated natively must give what the sandbox gives.
@Suite(.enabled(if: SandboxProgram.find() != nil)) struct `Native evaluation agrees with the sandbox` {
    @Test(arguments: [
        ("roots", Case.roots), ("arithmetic", Case.arithmetic), ("decisions", Case.decisions), ("values", Case.values), ("strings", Case.strings),
        ("arrays", Case.arrays),
        ("numbers", Case.numbers), ("objects", Case.objects), ("dates", Case.dates), ("extensions", Case.extensions)
    ])
    func `on the tables`(_ table: (name: String, cases: [Case])) async throws {
        try await compare(table.cases.map(\.text), scope: FixtureScope())
    }

    @Test func `on dates with daylight saving`() async throws {
        var scope = FixtureScope()
        scope.facts.timeZone = "Europe/Berlin"
        try await compare(Case.berlinDates.map(\.text), scope: scope)
    }

    /// Every block of the corpus, over items whose fields are texts, numbers, lists or missing.
    @Test(
        .enabled(if: ExpressionCorpus.folder != nil),
        arguments: [
            "Ada, 12.5 Löwe\n2nd", 42.5, [["name": "a", "id": 1, "text": "x"], ["name": "b", "id": 2, "text": "y"]], ["b", "a"],
            "2024-03-05T06:07:08.009Z", nil, ["a": 1]
        ] as [JSON])
    func `on the expressions of public templates`(_ leaf: JSON) async throws {
        let blocks = try Array(Set(ExpressionCorpus.blocks())).sorted()
        // Some dozens of blocks share an item, so that there are not thousands of round trips.
        for start in stride(from: 0, to: blocks.count, by: 40) {
            let chunk = Array(blocks[start..<min(start + 40, blocks.count)])
            try await compare(chunk, scope: PathScope(reading: chunk.joined(separator: "\n"), leaf: leaf))
        }
    }

    /// Texts of calls in which the sandbox does not yet do what n8n does: the expressions in `$parameter`.
    private let known = ["$parameter.url"]

    private func compare(_ sources: [String], scope: any ExpressionScope) async throws {
        let expressions = Expressions(scripts: nil)
        var blocks: [ScriptBlock] = []
        var natives: [Result<ExpressionValue, any Error>] = []
        for source in sources {
            let text = "={{ \(source) }}"
            switch Result(catching: { try expressions.evaluateNatively(text, scope: scope, itemIndex: 0) }) {
            case .success(.needsSandbox): continue
            case .success(.value(let value)): natives.append(.success(value))
            case .failure(let error): natives.append(.failure(error))
            }
            blocks.append(
                ScriptBlock(source: source.contains("{") && source.drop(while: \.isWhitespace).first == "{" ? "(\(source))" : source, itemIndex: 0))
        }
        let answers = try await Sandbox.shared.evaluate(blocks, tenant: .test(2), scope: scope)
        for ((block, native), answer) in zip(zip(blocks, natives), answers) {
            if known.contains(where: { block.source.contains($0) }) { continue }
            switch (native, answer) {
            case (.success(let value), .success(let other)): #expect(same(value, other), "\(block.source): native \(value), sandbox \(other)")
            // An exception of the block's code is swallowed, as n8n does.
            case (.success(.undefined), .failure(let error)) where error.isException: break
            case (.failure, .failure(let error)) where error.kind == .data || error.kind == .runtime: break
            default: Issue.record("\(block.source): native \(native), sandbox \(answer)")
            }
        }
    }

    /// JSON has no NaN and no infinity, so the sandbox's answer has null there.
    private func same(_ native: ExpressionValue, _ sandbox: ExpressionValue) -> Bool {
        native == sandbox || (try? JSON(parsing: native.json.serialized)) == sandbox.json && native != .undefined
    }
}
