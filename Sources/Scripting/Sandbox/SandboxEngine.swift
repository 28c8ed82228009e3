internal import Glibc

/// What runs a script in a process of the sandbox.
enum SandboxEngine: Equatable {
    case javaScript
    /// With the shared library of Python; nil leaves it to the process to find Debian's.
    case python(library: String?)

    /// As `aias-sandbox` takes them.
    func arguments(_ limits: SandboxLimits) -> [String] {
        let memory = String(limits.residentBytes)
        return switch self {
        case .javaScript: ["--serve", memory]
        case .python(let library): ["--serve-python", memory] + (library.map { [$0] } ?? [])
        }
    }
}

/// Where Python is, if not where Debian has it.
package enum PythonLibrary {
    package static var configured: String? {
        guard let given = getenv("AIAS_PYTHON").map({ String(cString: $0) }), !given.isEmpty else { return nil }
        return given
    }
}
