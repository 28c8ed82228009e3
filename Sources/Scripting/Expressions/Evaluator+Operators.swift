internal import Foundation
internal import Kernel
internal import OrderedCollections

/// Operators (ECMA-262, 13.5 to 13.12).
extension Evaluator {
    func unary(_ sign: Syntax.UnaryOperator, _ operand: Syntax) throws -> Value {
        let value = try evaluate(operand)
        switch sign {
        case .not: return .bool(!value.isTrue)
        case .plus: return .number(try value.numeric())
        case .minus: return .number(-(try value.numeric()))
        case .complement: return .number(Double(~Evaluator.int32(try value.numeric())))
        case .void: return .undefined
        case .typeof: return .string(try typeName(value))
        }
    }

    private func typeName(_ value: Value) throws -> String {
        switch value {
        case .undefined: "undefined"
        case .null, .data, .array, .object, .dateTime, .duration, .date: "object"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .function: "function"
        case .host: throw Interruption.sandbox
        }
    }

    func binary(_ sign: Syntax.BinaryOperator, _ left: Value, _ right: Value) throws -> Value {
        switch sign {
        case .add: return try add(left, right)
        case .equal: return .bool(try Value.looselyEqual(left, right))
        case .notEqual: return .bool(!(try Value.looselyEqual(left, right)))
        case .same: return .bool(try Value.strictlyEqual(left, right))
        case .notSame: return .bool(!(try Value.strictlyEqual(left, right)))
        case .less: return .bool(try Value.isLess(left, right) ?? false)
        case .greater: return .bool(try Value.isLess(right, left) ?? false)
        case .lessOrEqual: return .bool(try Value.isLess(right, left).map { !$0 } ?? false)
        case .greaterOrEqual: return .bool(try Value.isLess(left, right).map { !$0 } ?? false)
        case .contained: return .bool(try contains(right, try propertyName(left)))
        default: return .number(try arithmetic(sign, try left.numeric(), try right.numeric()))
        }
    }

    private func add(_ left: Value, _ right: Value) throws -> Value {
        let left = try left.primitive()
        let right = try right.primitive()
        switch (left, right) {
        case (.number(let a), .number(let b)): return .number(a + b)
        case (.string, _), (_, .string):
            return try made(left.text() + right.text())
        default: return .number(try left.numeric() + right.numeric())
        }
    }

    private func arithmetic(_ sign: Syntax.BinaryOperator, _ left: Double, _ right: Double) throws -> Double {
        switch sign {
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .remainder: left.truncatingRemainder(dividingBy: right)
        case .power: try Evaluator.power(left, right)
        case .and: Double(Evaluator.int32(left) & Evaluator.int32(right))
        case .or: Double(Evaluator.int32(left) | Evaluator.int32(right))
        case .xor: Double(Evaluator.int32(left) ^ Evaluator.int32(right))
        case .shiftLeft: Double(Evaluator.int32(left) << (Evaluator.int32(right) & 31))
        case .shiftRight: Double(Evaluator.int32(left) >> (Evaluator.int32(right) & 31))
        case .shiftRightUnsigned: Double(UInt32(bitPattern: Evaluator.int32(left)) >> UInt32(Evaluator.int32(right) & 31))
        default: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 6.1.6.1.3: unlike C's `pow`, one to the power of infinity or NaN is NaN.
    static func power(_ base: Double, _ exponent: Double) throws -> Double {
        if exponent.isNaN || (abs(base) == 1 && exponent.isInfinite) { return .nan }
        guard exponent.rounded() == exponent || base.isNaN || exponent == 0.5 else { throw Interruption.sandbox }
        return pow(base, exponent)
    }

    /// ECMA-262, 7.1.6 ToInt32.
    static func int32(_ value: Double) -> Int32 {
        guard value.isFinite else { return 0 }
        let modulus = value.rounded(.towardZero).truncatingRemainder(dividingBy: 4_294_967_296)
        return Int32(truncatingIfNeeded: Int64(modulus))
    }

    /// ECMA-262, 7.1.5 ToIntegerOrInfinity.
    static func integer(_ value: Value?) throws -> Double {
        let number = try (value ?? .undefined).numeric()
        return number.isNaN ? 0 : number.rounded(.towardZero)
    }

    private func contains(_ object: Value, _ name: String) throws -> Bool {
        if let members = object.members {
            guard members[name] == nil else { return true }
            if Evaluator.objectNames.contains(name) || Syntax.deniedNames.contains(name) { throw Interruption.sandbox }
            return false
        }
        if let elements = object.elements {
            if let index = Value.arrayIndex(name) { return index < elements.count }
            throw Interruption.sandbox
        }
        if object.isObject { throw Interruption.sandbox }
        throw Interruption.thrown("Cannot use 'in' operator")
    }
}
