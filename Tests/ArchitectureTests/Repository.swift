import Foundation

/// The checkout that the tests run in, read as text.
struct Repository {
    let root: URL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct Source {
        let module: String
        let path: String
        let text: String
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    /// Every Swift file below `Sources`.
    func sources() throws -> [Source] { try swiftFiles(below: "Sources") }

    /// Every Swift file below `Tests`.
    func tests() throws -> [Source] { try swiftFiles(below: "Tests") }

    private func swiftFiles(below folder: String) throws -> [Source] {
        let base = root.appending(path: folder)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: base.path()).filter { $0.hasSuffix(".swift") }.sorted()
        return try paths.map { path in
            Source(
                module: String(path.prefix { $0 != "/" }), path: "\(folder)/\(path)",
                text: try String(contentsOf: base.appending(path: path), encoding: .utf8))
        }
    }

    /// The modules of ours that each module imports.
    func edges() throws -> [String: Set<String>] {
        let sources = try sources()
        let ours = Set(sources.map(\.module))
        var edges: [String: Set<String>] = [:]
        for source in sources {
            edges[source.module, default: []].formUnion(imports(of: source).intersection(ours))
        }
        return edges
    }

    /// The modules a file imports, whatever the access level of the import.
    func imports(of source: Source) -> Set<String> {
        var found: Set<String> = []
        for line in source.lines {
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(of: "import"), place <= 2, words.count > place + 1,
                words[..<place].allSatisfy({
                    ["internal", "package", "public", "private", "fileprivate", "@testable", "@preconcurrency"].contains($0)
                })
            else { continue }
            var name = words[place + 1]
            if ["struct", "class", "enum", "func", "protocol", "var", "typealias"].contains(name), words.count > place + 2 { name = words[place + 2] }
            found.insert(String(name.prefix { $0 != "." }))
        }
        return found
    }
}
