internal import Kernel

/// An ECMAScript expression as far as it is evaluated natively. Names of arrow parameters are resolved to slots.
indirect enum Syntax: Sendable {
    case undefined
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    /// A regular expression without any special character, so that it only finds one text.
    case literalPattern(String, global: Bool)
    /// Texts are one more than expressions.
    case template([String], [Syntax])
    case array([Element])
    case object([Property])
    /// A parameter of an enclosing arrow function: how many functions out, and which slot.
    case local(depth: Int, slot: Int)
    case root(Root)
    /// `$name` that the step may carry in `extraRoots`.
    case extra(String)
    case member(Syntax, String, optional: Bool)
    case index(Syntax, Syntax, optional: Bool)
    case call(Syntax, [Element], optional: Bool)
    /// `object.name(arguments)`; `extended` where n8n looks for its own methods first.
    case method(Method)
    /// The end of an optional chain.
    case chain(Syntax)
    case construct(Root, [Element])
    case unary(UnaryOperator, Syntax)
    case binary(BinaryOperator, Syntax, Syntax)
    case and(Syntax, Syntax)
    case or(Syntax, Syntax)
    case coalesce(Syntax, Syntax)
    case conditional(Syntax, Syntax, Syntax)
    case arrow(Arrow)

    struct Element: Sendable {
        var value: Syntax
        var isSpread = false
    }

    struct Property: Sendable {
        enum Key: Sendable {
            case name(String)
            case computed(Syntax)
            case spread
        }
        var key: Key
        var value: Syntax
    }

    struct Method: Sendable {
        var object: Syntax
        var name: String
        var arguments: [Element]
        var isExtended: Bool
        var isOptionalMember: Bool
        var isOptionalCall: Bool
    }

    final class Arrow: Sendable {
        let parameters: [Pattern]
        let slots: Int
        let body: Syntax
        init(parameters: [Pattern], slots: Int, body: Syntax) {
            self.parameters = parameters
            self.slots = slots
            self.body = body
        }
    }

    enum Pattern: Sendable {
        case slot(Int)
        case array([Int?])
        case object([(key: String, slot: Int)])
    }

    enum UnaryOperator: Sendable { case not, minus, plus, complement, typeof, void }

    enum BinaryOperator: Sendable {
        case add, subtract, multiply, divide, remainder, power
        case equal, notEqual, same, notSame, less, lessOrEqual, greater, greaterOrEqual, contained
        case and, or, xor, shiftLeft, shiftRight, shiftRightUnsigned
    }
}

/// The names an expression starts from.
enum Root: String, Sendable, CaseIterable {
    case json = "$json", binary = "$binary", data = "$data", node = "$", legacyNodes = "$node", input = "$input"
    case items = "$items", item = "$item", prevNode = "$prevNode", itemIndex = "$itemIndex", runIndex = "$runIndex", mode = "$mode"
    case now = "$now", today = "$today", workflow = "$workflow", execution = "$execution", variables = "$vars", environment = "$env"
    case parameter = "$parameter", rawParameter = "$rawParameter", fromAI = "$fromAI"
    case ifEmpty = "$ifEmpty", not = "$not", minimum = "$min", maximum = "$max", average = "$average"
    case math = "Math", JSONNamespace = "JSON", object = "Object", array = "Array", stringFunction = "String", numberFunction = "Number"
    case booleanFunction = "Boolean", date = "Date", dateTime = "DateTime"
    case parseInt, parseFloat, isNaN, isFinite, encodeURIComponent, decodeURIComponent, encodeURI, decodeURI
}

extension Syntax {
    /// The names of all methods that n8n adds to values; a call of one looks there before it looks at the value itself.
    static let extensionNames: Set<String> = [
        // String
        "hash", "removeMarkdown", "removeTags", "toDate", "toDateTime", "toBoolean", "toDecimalNumber", "toNumber", "toFloat", "toInt",
        "toWholeNumber", "toSentenceCase", "toSnakeCase", "toTitleCase", "urlDecode", "urlEncode", "quote", "replaceSpecialChars", "length",
        "isDomain", "isEmail", "isNumeric", "isUrl", "isEmpty", "isNotEmpty", "isBlank", "isNotBlank", "toJsonString", "extractEmail",
        "extractDomain", "extractUrl", "extractUrlPath", "parseJson", "base64Encode", "base64Decode",
        // Number
        "ceil", "floor", "format", "round", "abs", "isInteger", "isEven", "isOdd",
        // Date
        "beginningOf", "endOfMonth", "extract", "isBetween", "isDst", "isInLast", "isWeekend", "minus", "plus", "diffTo", "diffToNow",
        // Array
        "removeDuplicates", "unique", "first", "last", "pluck", "randomItem", "sum", "min", "max", "average", "compact", "smartJoin", "chunk",
        "renameKeys", "merge", "union", "difference", "intersection", "append",
        // Object
        "hasField", "removeField", "removeFieldsContaining", "keepFieldsContaining", "keys", "values"
    ]

    /// Names that reach out of the data into the language's machinery; reading one is refused.
    static let deniedNames: Set<String> = [
        "constructor", "__proto__", "prototype", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__",
        "getPrototypeOf", "setPrototypeOf", "getOwnPropertyDescriptor", "getOwnPropertyDescriptors", "defineProperty", "defineProperties",
        "caller", "callee", "mainModule", "binding", "_load", "prepareStackTrace"
    ]
}
