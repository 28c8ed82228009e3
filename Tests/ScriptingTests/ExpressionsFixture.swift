import Kernel
import Scripting

/// A run with items, two executed nodes and frozen facts, for expressions to look at.
struct FixtureScope: ExpressionScope {
    var items: [JSON] = [
        [
            "json": [
                "name": "Ada", "age": 36, "a": ["b": ["c": "deep"]], "tags": ["x", "y", "z"], "empty": "", "zero": 0, "yes": true, "nothing": nil,
                "odd key": 1, "price": "12.50", "when": "2024-03-05T06:07:08.009Z", "people": [["n": "Bo", "v": 2], ["n": "Al", "v": 1]],
                "text": "Hello, World"
            ]
        ],
        ["json": ["name": "Grace", "age": 45], "binary": ["data": ["mimeType": "image/png"]]]
    ]
    var nodes: [String: [JSON]] = [
        "Get": [["json": ["id": 7, "list": [1, 2, 3]]], ["json": ["id": 8]]],
        "My Node": [["json": ["x": "first"]], ["json": ["x": "second"]]]
    ]
    var parameters: JSON = ["url": "={{ $json.name }}/x", "limit": 5]
    var facts = ExpressionFacts(
        now: Timestamp("2024-01-31T12:34:56.789Z")!, timeZone: "UTC", nodeName: "Here", runIndex: 2,
        workflow: ["id": "w1", "name": "Flow", "active": true],
        execution: ["id": "e1", "mode": "test"], prevNode: ["name": "Get", "outputIndex": 0, "runIndex": 0], variables: ["region": "eu"],
        mode: "webhook", extraRoots: ["$response": ["body": ["next": "p2"], "statusCode": 200], "$pageCount": 3, "$fromAI": ["city": "Rome"]])

    func inputItems(_ input: Int) throws(ScopeError) -> [JSON] { items }

    func items(ofNode name: String, output: Int, run: Int?) throws(ScopeError) -> [JSON] {
        guard let items = nodes[name] else { throw ScopeError(code: "no_such_node", message: "There is no node \"\(name)\".") }
        return items
    }

    func pairedItem(ofNode name: String, itemIndex: Int) throws(ScopeError) -> JSON {
        let items = try items(ofNode: name, output: 0, run: nil)
        guard items.indices.contains(itemIndex) else { throw ScopeError(code: "no_paired_item", message: "No paired item.") }
        return items[itemIndex]
    }

    func isExecuted(_ name: String) -> Bool { nodes[name] != nil }
    func parameters(ofNode name: String) throws(ScopeError) -> JSON { parameters }
    func context(ofNode name: String) throws(ScopeError) -> JSON { name == "Get" ? ["noItemsLeft": false] : [:] }
}

/// An expression and what it must give.
struct Case: Sendable, CustomStringConvertible {
    var text: String
    var value: ExpressionValue
    var description: String { text }

    init(_ text: String, _ value: JSON) {
        self.text = text
        self.value = .json(value)
    }

    static func undefined(_ text: String) -> Case {
        var out = Case(text, nil)
        out.value = .undefined
        return out
    }
}

/// Evaluates the JavaScript of one block natively.
func native(_ source: String, scope: FixtureScope = FixtureScope(), itemIndex: Int = 0) throws -> NativeResult {
    try Expressions(scripts: nil).evaluateNatively("={{ \(source) }}", scope: scope, itemIndex: itemIndex)
}
