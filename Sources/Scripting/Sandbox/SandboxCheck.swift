internal import Kernel

/// What `aias doctor` says about the sandbox: whether scripts may run on this machine, and behind which walls.
package struct SandboxCheck: Sendable, Hashable {
    /// Code nodes and expressions beyond plain paths run.
    package var available: Bool
    /// The walls that stand: `landlock 7`, `seccomp`, `own user`, …
    package var walls: [String]
    /// Walls that this machine cannot raise, or why nothing runs.
    package var missing: [String]

    /// Starts one process, reads which walls it raised, and ends it. Blocks for some 30 ms.
    package static func report(program: String? = SandboxProgram.find(), limits: SandboxLimits = SandboxLimits()) -> SandboxCheck {
        report(program, .javaScript, limits)
    }

    /// The same of scripts in Python, which is not on every machine.
    package static func reportPython(
        program: String? = SandboxProgram.find(), library: String? = PythonLibrary.configured, limits: SandboxLimits = SandboxLimits()
    ) -> SandboxCheck {
        report(program, .python(library: library), limits)
    }

    private static func report(_ program: String?, _ engine: SandboxEngine, _ limits: SandboxLimits) -> SandboxCheck {
        guard let program else { return SandboxCheck(available: false, walls: [], missing: ["the program aias-sandbox is not beside aias"]) }
        do {
            let process = try SandboxProcess(program: program, engine: engine, limits: limits)
            return SandboxCheck(available: process.refusal == nil, walls: process.list("walls"), missing: process.list("missing"))
        } catch {
            return SandboxCheck(available: false, walls: [], missing: ["\(error)"])
        }
    }
}

extension SandboxProcess {
    fileprivate func list(_ name: String) -> [String] { (hello[name]?.array ?? []).compactMap(\.text) }
}
