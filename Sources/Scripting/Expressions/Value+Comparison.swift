internal import Kernel
internal import OrderedCollections

extension Value {
    /// Swift compares strings by canonical equivalence, ECMAScript by code units.
    static func same(_ left: String, _ right: String) -> Bool { left == right && left.utf8.elementsEqual(right.utf8) }

    /// ECMA-262, 7.2.15 IsStrictlyEqual. Two objects are compared by identity, which values here do not have.
    static func strictlyEqual(_ left: Value, _ right: Value) throws -> Bool {
        switch (left, right) {
        case (.undefined, .undefined), (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.number(let left), .number(let right)): return left == right
        case (.string(let left), .string(let right)): return same(left, right)
        default:
            guard left.isObject, right.isObject else { return false }
            throw Interruption.sandbox
        }
    }

    /// ECMA-262, 7.2.14 IsLooselyEqual.
    static func looselyEqual(_ left: Value, _ right: Value) throws -> Bool {
        if left.isNullish || right.isNullish { return left.isNullish && right.isNullish }
        switch (left, right) {
        case (.number, .string), (.string, .number), (.bool, .number), (.number, .bool), (.bool, .string), (.string, .bool):
            return try left.numeric() == right.numeric()
        case _ where left.isObject && !right.isObject: return try looselyEqual(left.primitive(), right)
        case _ where right.isObject && !left.isObject: return try looselyEqual(left, right.primitive())
        default: return try strictlyEqual(left, right)
        }
    }

    /// ECMA-262, 7.1.1 ToPrimitive without a hint, or with the hint "number".
    func primitive(preferringNumber: Bool = false) throws -> Value {
        switch self {
        case .undefined, .null, .bool, .number, .string: self
        case .data, .array, .object: .string(try text())
        case .dateTime(let value): .number(value.milliseconds)
        case .date(let value) where preferringNumber: .number(value)
        case .duration(let value): .number(value.milliseconds)
        case .date, .function, .host: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 7.2.13 IsLessThan; nil where a side is NaN.
    static func isLess(_ left: Value, _ right: Value) throws -> Bool? {
        let left = try left.primitive(preferringNumber: true)
        let right = try right.primitive(preferringNumber: true)
        if case .string(let left) = left, case .string(let right) = right { return precedes(left, right) }
        let (a, b) = (try left.numeric(), try right.numeric())
        return a.isNaN || b.isNaN ? nil : a < b
    }

    /// Order by UTF-16 code units.
    static func precedes(_ left: String, _ right: String) -> Bool { left.utf16.lexicographicallyPrecedes(right.utf16) }

    /// Equality by content, as lodash's `isEqual` has it for JSON values: NaN equals itself, the order of members does not count.
    static func deeplyEqual(_ left: Value, _ right: Value) throws -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): return left == right || (left.isNaN && right.isNaN)
        case (.date, _), (_, .date), (.dateTime, _), (_, .dateTime), (.function, _), (_, .function), (.host, _), (_, .host), (.duration, _),
            (_, .duration):
            throw Interruption.sandbox
        default: break
        }
        if let left = left.elements, let right = right.elements {
            guard left.count == right.count else { return false }
            for (a, b) in zip(left, right) where try !deeplyEqual(a, b) { return false }
            return true
        }
        if let left = left.members, let right = right.members {
            guard left.count == right.count else { return false }
            for (key, value) in left {
                guard let other = right[key], try deeplyEqual(value, other) else { return false }
            }
            return true
        }
        if left.isObject || right.isObject { return false }
        return try strictlyEqual(left, right)
    }
}
