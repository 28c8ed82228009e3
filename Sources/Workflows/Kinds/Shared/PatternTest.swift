internal import Kernel
internal import Scripting

/// Tests a text with a regular expression in ECMAScript's dialect. It runs in the sandbox: a runaway pattern ends by its time limit.
struct PatternTest: Sendable {
    let step: StepContext
    let item: Int

    /// - Parameter pattern: `/source/flags`, or the source alone.
    func matches(_ text: String, pattern: String, ignoresCase: Bool = false) async throws -> Bool {
        var (source, flags) = PatternTest.parts(of: pattern)
        if ignoresCase, !flags.contains("i") { flags += "i" }
        let arguments = [source, flags].map { JSON.string($0).serialized }.joined(separator: ",")
        let block = ScriptBlock(source: "new RegExp(\(arguments)).test(\(JSON.string(text).serialized))", itemIndex: item)
        let scope = step.services.scope()
        let results = try await step.services.scripts.evaluate([block], tenant: step.tenant, scope: scope)
        guard let result = results.first else { throw StepFailure("code_error", "The pattern could not be tested.", itemIndex: item) }
        return try result.get().json == true
    }

    static func parts(of pattern: String) -> (source: String, flags: String) {
        guard pattern.hasPrefix("/"), let end = pattern.lastIndex(of: "/"), end > pattern.startIndex else { return (pattern, "") }
        let flags = pattern[pattern.index(after: end)...]
        guard flags.allSatisfy({ "dgimsuvy".contains($0) }) else { return (pattern, "") }
        return (String(pattern[pattern.index(after: pattern.startIndex)..<end]), String(flags))
    }
}
