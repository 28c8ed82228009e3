package import Kernel
internal import OrderedCollections

/// What a parameter text gives without the sandbox.
package enum NativeResult: Sendable, Hashable {
    case value(ExpressionValue)
    /// A block uses JavaScript that is not evaluated natively; `Expressions.evaluate` has it done.
    case needsSandbox
}

/// Evaluates n8n's expression dialect: parameter texts that start with `=` and hold `{{ … }}` blocks of JavaScript.
///
/// Paths, operators, the common built-in methods, n8n's own methods and dates are evaluated here; anything else, and
/// anything whose exact result is not certain, goes to the script runner, whole block by whole block. As in n8n, a
/// JavaScript exception makes its block undefined; data that cannot be given and calls that n8n refuses are errors.
package struct Expressions: Sendable {
    private let scripts: (any ScriptRunner)?
    private let cache = TemplateCache()

    /// - Parameter scripts: nil where scripts may not run; blocks that need one then fail as `unavailable`.
    package init(scripts: (any ScriptRunner)?) { self.scripts = scripts }

    /// Whether a parameter text is an expression at all.
    package static func isExpression(_ text: String) -> Bool { text.utf8.first == UInt8(ascii: "=") }

    /// Evaluates every `=` text inside a value, however deep. Members that become undefined are left out, elements become
    /// null, and so does the value itself.
    /// - Throws: `ScriptError`.
    package func evaluate(_ value: JSON, tenant: TenantID, scope: any ExpressionScope, itemIndex: Int) async throws -> JSON {
        guard Expressions.holdsExpression(value) else { return value }
        let round = SandboxRound()
        if let result = try resolve(value, Evaluator(scope: scope, itemIndex: itemIndex), round) { return result.json }
        try await answer(round, tenant: tenant, scope: scope)
        guard let result = try resolve(value, Evaluator(scope: scope, itemIndex: itemIndex), round) else { throw Expressions.unanswered }
        return result.json
    }

    /// Evaluates one text without leaving the thread; a text without `=` is itself.
    /// - Throws: `ScriptError`.
    package func evaluateNatively(_ text: String, scope: any ExpressionScope, itemIndex: Int) throws -> NativeResult {
        guard Expressions.isExpression(text) else { return .value(.json(.string(text))) }
        do {
            return .value(try template(text).evaluate(Evaluator(scope: scope, itemIndex: itemIndex)))
        } catch Interruption.sandbox {
            return .needsSandbox
        } catch {
            throw Expressions.scriptError(error)
        }
    }

    /// Evaluates one text for several items, with at most one round trip to the sandbox; results are in the order of the indices.
    /// - Throws: `ScriptError` where the sandbox as a whole fails; the error of one item is its result.
    package func evaluate(
        _ text: String, tenant: TenantID, scope: any ExpressionScope, itemIndices: some Sequence<Int>
    ) async throws -> [Result<ExpressionValue, ScriptError>] {
        let indices = Array(itemIndices)
        guard Expressions.isExpression(text) else { return indices.map { _ in .success(.json(.string(text))) } }
        let template = try template(text)
        let round = SandboxRound()
        func attempt(_ index: Int) -> Result<ExpressionValue, ScriptError>? {
            do {
                return try Expressions.evaluate(template, Evaluator(scope: scope, itemIndex: index), round).map { .success($0) }
            } catch {
                return .failure(Expressions.scriptError(error))
            }
        }
        let first = indices.map(attempt)
        guard !round.wanted.isEmpty else { return first.map { $0 ?? .failure(Expressions.unanswered) } }
        try await answer(round, tenant: tenant, scope: scope)
        return zip(indices, first).map { index, known in known ?? attempt(index) ?? .failure(Expressions.unanswered) }
    }

    private static let unanswered = ScriptError(.runtime, "The sandbox left an expression without an answer.")

    private func template(_ text: String) throws -> Template {
        guard text.utf8.count <= Limits.expressionText else {
            throw ScriptError(.syntax, "An expression may have at most \(Limits.expressionText) bytes.")
        }
        return cache.template(text)
    }

    // MARK: Values with expressions inside

    private static func holdsExpression(_ value: JSON) -> Bool {
        switch value {
        case .string(let text): isExpression(text)
        case .array(let elements): elements.contains(where: holdsExpression)
        case .object(let members): members.contains { holdsExpression($0.value) }
        default: false
        }
    }

    /// Nil where a block still waits for the sandbox; the whole value is walked nevertheless, to ask for all of them at once.
    private func resolve(_ value: JSON, _ evaluator: Evaluator, _ round: SandboxRound) throws -> ExpressionValue? {
        switch value {
        case .string(let text) where Expressions.isExpression(text): return try Expressions.evaluate(template(text), evaluator, round)
        case .array(let elements):
            let resolved = try elements.map { try resolve($0, evaluator, round) }
            guard !resolved.contains(where: { $0 == nil }) else { return nil }
            return .json(.array(resolved.map { $0!.json }))
        case .object(let members):
            var out = JSONObject()
            var isPending = false
            for (key, member) in members {
                switch try resolve(member, evaluator, round) {
                case .json(let result)?: out[key] = result
                case .undefined?: break
                case nil: isPending = true
                }
            }
            return isPending ? nil : .json(.object(out))
        default: return .json(value)
        }
    }

    /// Nil where a block waits for the sandbox.
    private static func evaluate(_ template: Template, _ evaluator: Evaluator, _ round: SandboxRound) throws -> ExpressionValue? {
        do {
            var isPending = false
            let result = try template.value { block in
                if let syntax = block.syntax {
                    do { return try native(syntax, evaluator, isAmongText: template.only == nil) } catch Interruption.sandbox {}
                }
                let request = ScriptBlock(source: block.sandboxSource(asText: template.only == nil), itemIndex: evaluator.itemIndex)
                if let value = try round.value(of: request) { return value }
                isPending = true
                return .undefined
            }
            return isPending ? nil : result
        } catch {
            throw scriptError(error)
        }
    }

    /// The value, already as text where it stands among text, so that a conversion that needs the sandbox says so in time.
    private static func native(_ syntax: Syntax, _ evaluator: Evaluator, isAmongText: Bool) throws -> Value {
        do {
            let value = try evaluator.evaluate(syntax)
            switch value {
            case .undefined, .null, .bool, .number, .string: return value
            default: return isAmongText ? .string(try value.text()) : Value(try value.json())
            }
        } catch Interruption.thrown { return .undefined }
    }

    private static func scriptError(_ error: any Error) -> ScriptError {
        switch error {
        case let error as ScriptError: error
        case let error as ScopeError: ScriptError(.data, error.message)
        case Interruption.raised(let message): ScriptError(.data, message)
        default: ScriptError(.runtime, "\(error)")
        }
    }

    private func answer(_ round: SandboxRound, tenant: TenantID, scope: any ExpressionScope) async throws {
        guard let scripts else {
            throw ScriptError(.unavailable, "This expression needs JavaScript, which may not run here.")
        }
        let blocks = round.wanted
        let answers = try await scripts.evaluate(blocks, tenant: tenant, scope: scope)
        guard answers.count == blocks.count else { throw Expressions.unanswered }
        for (block, answer) in zip(blocks, answers) { round.answers[block] = answer }
    }
}

/// The blocks of one evaluation that the sandbox has to answer, and its answers.
final class SandboxRound {
    private(set) var wanted: [ScriptBlock] = []
    var answers: [ScriptBlock: Result<ExpressionValue, ScriptError>] = [:]
    private var known: Set<ScriptBlock> = []

    /// The answer; nil where there is none yet, and the block is put on the list.
    func value(of block: ScriptBlock) throws -> Value? {
        guard let answer = answers[block] else {
            if known.insert(block).inserted { wanted.append(block) }
            return nil
        }
        switch answer {
        case .success(.undefined): return .undefined
        case .success(.json(let json)): return Value(json)
        case .failure(let error) where error.isException: return .undefined
        case .failure(let error): throw error
        }
    }
}

extension ScriptError {
    /// Whether the block's own code threw, which makes the block undefined; `JSON.parse` throws a SyntaxError as bad source does.
    package var isException: Bool { kind == .runtime || (kind == .syntax && message.contains("JSON Parse error")) }
}
