package import Kernel

/// What an expression or script may look at, fetched lazily: the engine answers from the run's items, and only
/// for names that the text really uses. Shapes are n8n's: an item is `{"json": {…}, "binary": {…}?, "pairedItem": …?}`.
package protocol ExpressionScope: Sendable {
    /// The items at one input of the node, in order.
    func inputItems(_ input: Int) throws(ScopeError) -> [JSON]
    /// One of the items at input 0; nil where there is none.
    func inputItem(_ index: Int) throws(ScopeError) -> JSON?
    /// `$('name').all(output, run)`; `run` nil is the last one.
    func items(ofNode name: String, output: Int, run: Int?) throws(ScopeError) -> [JSON]
    /// `$('name').item` / `.itemMatching(i)` / `.pairedItem(i)` for the item with this index at input 0, by lineage.
    func pairedItem(ofNode name: String, itemIndex: Int) throws(ScopeError) -> JSON
    /// `$('name').isExecuted`.
    func isExecuted(_ name: String) -> Bool
    /// `$('name').params` and, for the node's own name, `$parameter`: the raw parameters.
    func parameters(ofNode name: String) throws(ScopeError) -> JSON
    /// `$('name').context` (loop over items: `currentRunIndex`, `noItemsLeft`).
    func context(ofNode name: String) throws(ScopeError) -> JSON
    /// The output of the named node through which data came from it to this node; 0 unless the engine knows better.
    func leadingOutput(ofNode name: String) -> Int
    /// Facts about the run, frozen for this step.
    var facts: ExpressionFacts { get }
}

/// Why data that an expression asks for cannot be given; its message is shown to the builder.
package struct ScopeError: Error, Sendable, Hashable {
    /// `no_such_node`, `not_executed`, `no_paired_item`, `ambiguous_paired_item`, …
    package var code: String
    package var message: String
    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// The values behind `$now`, `$workflow`, `$execution`, `$vars` and their like.
package struct ExpressionFacts: Sendable {
    /// Frozen when the step starts: `$now`, `new Date()` and `Date.now()` all answer it.
    package var now: Timestamp
    /// IANA name, of the workflow's settings: `Europe/Berlin`.
    package var timeZone: String
    package var nodeName: String
    package var runIndex: Int
    /// `{id, name, active}`
    package var workflow: JSON
    /// `{id, mode: "test"|"production", resumeUrl, …}`
    package var execution: JSON
    /// `{name, outputIndex, runIndex}` of the node the items came from.
    package var prevNode: JSON
    /// `$vars`: the tenant's variables.
    package var variables: JSON
    /// `$mode`: manual, trigger, webhook, …
    package var mode: String
    /// Seeds Math.random and uuid generation, so that a repeat of the step draws the same numbers.
    package var seed: UInt64
    /// Further roots for special places: `$response`, `$request`, `$pageCount`, `$fromAI` values; keys with the dollar sign.
    package var extraRoots: JSONObject

    package init(
        now: Timestamp, timeZone: String = "UTC", nodeName: String, runIndex: Int = 0, workflow: JSON = [:], execution: JSON = [:],
        prevNode: JSON = [:], variables: JSON = [:], mode: String = "manual", seed: UInt64 = 0, extraRoots: JSONObject = [:]
    ) {
        self.now = now
        self.timeZone = timeZone
        self.nodeName = nodeName
        self.runIndex = runIndex
        self.workflow = workflow
        self.execution = execution
        self.prevNode = prevNode
        self.variables = variables
        self.mode = mode
        self.seed = seed
        self.extraRoots = extraRoots
    }
}

/// What went wrong inside an expression or a script, as the builder is told it.
package struct ScriptError: Error, Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// The text is no ECMAScript.
        case syntax
        /// It threw, or read a property of undefined where n8n raises.
        case runtime
        /// Data asked for cannot be given (`ScopeError`).
        case data
        /// Stopped by a limit.
        case timeLimit, memoryLimit, outputLimit
        /// The sandbox may not run here; `aias doctor` says why.
        case unavailable
    }
    package var kind: Kind
    package var message: String
    package var line: Int?
    package var column: Int?
    package init(_ kind: Kind, _ message: String, line: Int? = nil, column: Int? = nil) {
        self.kind = kind
        self.message = message
        self.line = line
        self.column = column
    }

    /// - Parameter fault: as the sandbox tells it: `{kind, message, line?, column?}`.
    package init(fault: JSON) {
        let kind = Kind(rawValue: fault["kind"]?.text ?? "") ?? .runtime
        self.init(kind, fault["message"]?.text ?? "", line: fault["line"]?.integer, column: fault["column"]?.integer)
    }
}

extension ExpressionScope {
    package func inputItem(_ index: Int) throws(ScopeError) -> JSON? {
        let items = try inputItems(0)
        guard items.indices.contains(index) else { return JSON?.none }
        return items[index]
    }

    package func leadingOutput(ofNode name: String) -> Int { 0 }
}
