package import Kernel

/// The result of an expression: a JSON value or JavaScript's `undefined`, which a parameter treats as "not set".
package enum ExpressionValue: Sendable, Hashable {
    case undefined
    case json(JSON)
    package var json: JSON { if case .json(let value) = self { value } else { .null } }
}

/// One script of a Code, Function or FunctionItem node.
package struct Script: Sendable {
    package enum Mode: String, Sendable, Hashable {
        /// n8n Code v1/v2 `runOnceForAllItems`: returns items.
        case allItems
        /// n8n Code `runOnceForEachItem`: returns one item (or null to drop it).
        case eachItem
        /// n8n `function`: `items` in, items out.
        case function
        /// n8n `functionItem`: `item` in, item out.
        case functionItem
    }
    package enum Language: String, Sendable, Hashable {
        case javaScript
        /// As n8n's Pyodide has it: `_input`, `_json`, `_('Node')`, …; items are dictionaries whose members are attributes as well.
        case python
        /// As n8n's runners have it: plain dictionaries in `_items` or `_item`, and nothing else.
        case pythonNative
    }
    package var source: String
    package var language: Language
    package var mode: Mode
    /// `$getWorkflowStaticData('global' | 'node')` before the script.
    package var staticGlobal: JSON
    package var staticNode: JSON
    package var timeLimit: Duration
    /// Whether an item that fails, where each has a turn of its own, is given out as its fault instead of ending the script. Native Python ends.
    package var continuesOnError: Bool
    /// Answers what takes time; nil where the script may not ask for it.
    package var helper: ScriptHelper?

    package init(
        source: String, language: Language = .javaScript, mode: Mode, staticGlobal: JSON = [:], staticNode: JSON = [:],
        timeLimit: Duration = .seconds(10), continuesOnError: Bool = false, helper: ScriptHelper? = nil
    ) {
        self.source = source
        self.language = language
        self.mode = mode
        self.staticGlobal = staticGlobal
        self.staticNode = staticNode
        self.timeLimit = timeLimit
        self.continuesOnError = continuesOnError
        self.helper = helper
    }
}

/// Answers a script's questions that take time, one after another; the time is not the script's. Shapes: `{"what": "http", "request": {…}}`,
/// `{"what": "file", "file": {…}}`.
/// - Throws: `ScopeError` with what the script is told; anything else is told as a fault of the program's.
package typealias ScriptHelper = @Sendable (_ question: JSON) async throws -> JSON

/// What a script gave back.
package struct ScriptResult: Sendable {
    /// Items `{json, binary?, pairedItem?}`, already normalised as n8n does (bare objects wrapped); one that failed where the script goes on after
    /// errors is `{fault, pairedItem}`, and its fault what `ScriptError(fault:)` reads.
    package var items: [JSON]
    /// Lines of `console.log` and its kin, or of `print`.
    package var logs: [String]
    /// Static data after the script, nil where it was not touched.
    package var staticGlobal: JSON?
    package var staticNode: JSON?

    package init(items: [JSON], logs: [String] = [], staticGlobal: JSON? = nil, staticNode: JSON? = nil) {
        self.items = items
        self.logs = logs
        self.staticGlobal = staticGlobal
        self.staticNode = staticNode
    }
}

/// Runs scripts for one tenant at a time in a walled process. Implemented by the sandbox's client.
package protocol ScriptRunner: Sendable {
    /// Evaluates the JavaScript of several `{{ }}` blocks, each for an item index; one round trip.
    func evaluate(_ blocks: [ScriptBlock], tenant: TenantID, scope: any ExpressionScope) async throws -> [Result<ExpressionValue, ScriptError>]
    /// Runs a script over the node's input items.
    func run(_ script: Script, tenant: TenantID, scope: any ExpressionScope) async throws -> ScriptResult
}

/// The JavaScript between `{{` and `}}`, and the item it is evaluated for.
package struct ScriptBlock: Sendable, Hashable {
    package var source: String
    package var itemIndex: Int
    package init(source: String, itemIndex: Int) {
        self.source = source
        self.itemIndex = itemIndex
    }
}
