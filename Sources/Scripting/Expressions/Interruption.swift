internal import Kernel

/// Why the native evaluation of a block stops before it has a value.
enum Interruption: Error {
    /// The block uses something that is not reproduced natively; the sandbox evaluates the whole block.
    case sandbox
    /// An optional chain met null or undefined; caught where the chain ends.
    case shortCircuit
    /// A JavaScript exception (a TypeError, mostly). n8n swallows it: the block becomes undefined.
    case thrown(String)
    /// An error that n8n shows to the builder: a refused name, or a method called on the wrong type.
    case raised(String)
}

extension Limits {
    /// Characters of one parameter text that is parsed as an expression.
    static let expressionText = 262_144
    /// Nesting of one expression; deeper ones go to the sandbox.
    static let expressionDepth = 128
    /// Members, calls and operators of one expression; they nest without parentheses.
    static let expressionLinks = 2_000
    /// Nesting of one evaluation, functions included; deeper ones go to the sandbox, which guards its stack.
    static let evaluationDepth = 256
    /// Steps of `reduce` that build lists, objects or functions, which may nest one level a step.
    static let expressionNestingSteps = 1_000
    /// Steps of one native evaluation; longer ones go to the sandbox, which has a clock.
    static let expressionSteps = 2_000_000
    /// UTF-8 bytes of a string that one native call may make.
    static let expressionString = 4_194_304
    /// Parsed templates kept.
    static let expressionTemplates = 4_096
}
