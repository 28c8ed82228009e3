internal import Glibc

/// CPython, taken from the machine's shared library when a process is started for it: the build does without it, and so does a machine where
/// nobody writes Python. Any version from 3.9 on will do, since the few functions used have been there, unchanged, in all of them.
struct Python {
    private let library: UnsafeMutableRawPointer

    /// - Parameter path: the shared library; nil looks for Debian's, the newest first.
    /// - Returns: nil where there is none.
    static func load(_ path: String?) -> Python? {
        let names = path.map { [$0] } ?? (9...19).reversed().map { "libpython3.\($0).so.1.0" }
        // Python's own extension modules look for its functions among all that is loaded.
        for name in names { if let library = dlopen(name, RTLD_NOW | RTLD_GLOBAL) { return Python(library: library) } }
        return nil
    }

    /// `3.11.2`, empty where the library is something else.
    var version: String {
        guard let address = dlsym(library, "Py_GetVersion") else { return "" }
        let text = unsafeBitCast(address, to: (@convention(c) () -> UnsafePointer<CChar>).self)()
        return String(String(cString: text).prefix { $0 != " " })
    }

    /// Starts the interpreter and runs the prelude, which loads what scripts may import. The order of sets is the same in every process, so that a
    /// repeat of a step sees the same.
    /// - Returns: false where this Python cannot do it.
    func prepare() -> Bool {
        guard let start = dlsym(library, "Py_InitializeEx") else { return false }
        setenv("PYTHONHASHSEED", "0", 1)
        setenv("PYTHONDONTWRITEBYTECODE", "1", 1)
        setenv("PYTHONUTF8", "1", 1)
        // Packages of the machine are none of the scripts' business.
        dlsym(library, "Py_NoSiteFlag")?.assumingMemoryBound(to: Int32.self).pointee = 1
        unsafeBitCast(start, to: (@convention(c) (Int32) -> Void).self)(0)
        return PythonPrelude.files.allSatisfy(run)
    }

    /// Runs a text among the prelude's names.
    /// - Returns: false where it raised something.
    func run(_ source: [UInt8]) -> Bool {
        guard let address = dlsym(library, "PyRun_SimpleString") else { return false }
        let run = unsafeBitCast(address, to: (@convention(c) (UnsafePointer<CChar>) -> Int32).self)
        return (source + [0]).withUnsafeBufferPointer { $0.withMemoryRebound(to: CChar.self) { run($0.baseAddress!) == 0 } }
    }
}
