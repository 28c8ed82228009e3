internal import Glibc

/// Where `aias-sandbox` is: `AIAS_SANDBOX`, else beside the running program or up to two folders above it. A test runner lies in the
/// tool chain, so the folders of the test bundle among its arguments are looked through as well. `aias-files` is found the same way.
package enum SandboxProgram {
    /// The path of the executable, nil where there is none.
    package static func find() -> String? {
        if let given = getenv("AIAS_SANDBOX").map({ String(cString: $0) }), !given.isEmpty { return executable(given) }
        return beside("aias-sandbox")
    }

    /// The program of this name that lies with ours.
    static func beside(_ name: String) -> String? { candidates(name).lazy.compactMap(executable).first }

    private static func candidates(_ name: String) -> [String] {
        var folders: [String] = []
        for path in [programPath(), CommandLine.arguments.first ?? ""] + CommandLine.arguments.filter({ $0.hasSuffix(".xctest") }) {
            var folder = parent(path)
            for _ in 0..<3 where !folder.isEmpty {
                folders.append(folder)
                folder = parent(folder)
            }
        }
        return folders.map { "\($0)/\(name)" }
    }

    private static func programPath() -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[..<slash])
    }

    private static func executable(_ path: String) -> String? { access(path, X_OK) == 0 ? path : nil }
}
