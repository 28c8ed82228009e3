internal import Crypto
internal import Foundation
internal import Kernel

/// Answers what a script asks for (`ask` frames) from the engine's scope. Shapes: `{"what": "input", "input": 0}`,
/// `{"what": "items", "node", "output"?, "run"?}`, `{"what": "paired", "node", "index"}`, `executed`, `parameters`, `context` with `node`,
/// `{"what": "digest", "text"}` for SHA3-512;
/// answered by `{"value": …}` or `{"error": {code, message}}`.
struct ScopeAnswers {
    let scope: any ExpressionScope

    func answer(_ question: JSON) -> JSON {
        do { return ["value": try value(question)] } catch {
            return ["error": ["code": .string(error.code), "message": .string(error.message)]]
        }
    }

    private func value(_ question: JSON) throws(ScopeError) -> JSON {
        let node = question["node"]?.text ?? ""
        let number = question["index"]?.integer ?? question["input"]?.integer ?? 0
        switch question["what"]?.text {
        case "input": return .array(try scope.inputItems(number))
        case "items":
            let output = question["output"]?.integer ?? scope.leadingOutput(ofNode: node)
            return .array(try scope.items(ofNode: node, output: output, run: question["run"]?.integer))
        case "paired": return try scope.pairedItem(ofNode: node, itemIndex: number)
        case "executed": return .bool(scope.isExecuted(node))
        case "parameters": return try scope.parameters(ofNode: node)
        case "context": return try scope.context(ofNode: node)
        case "digest": return .string(Array(SHA3_512.hash(data: Array((question["text"]?.text ?? "").utf8))).hexText)
        default: throw ScopeError(code: "unknown_question", message: "the script asked for something unknown")
        }
    }
}

extension ExpressionFacts {
    /// As the prelude reads them; the seed is a decimal string because a double cannot hold it.
    var json: JSON {
        [
            "now": .number(Double(now.milliseconds)), "timeZone": .string(timeZone), "nodeName": .string(nodeName),
            "runIndex": .number(Double(runIndex)), "workflow": workflow, "execution": execution, "prevNode": prevNode,
            "variables": variables, "mode": .string(mode), "seed": .string(String(seed)), "extraRoots": .object(extraRoots)
        ]
    }
}
