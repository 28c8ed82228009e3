import Foundation
import Testing

@Suite struct ImportTests {
    let repository = Repository()

    @Test func `a module imports only from layers below its own`() throws {
        let layer: [String: Int] = Dictionary(
            uniqueKeysWithValues: Imports.layers.enumerated().flatMap { index, names in names.map { ($0, index) } })
        for (module, imported) in try repository.edges() {
            if let allowed = Imports.beside[module] {
                #expect(imported.isSubset(of: allowed), "\(module) imports \(imported.subtracting(allowed))")
                continue
            }
            let own = try #require(layer[module], "\(module) stands in no layer of Imports.swift")
            for other in imported {
                let below = try #require(layer[other], "\(module) imports \(other), which stands beside the layers")
                #expect(below < own, "\(module) imports \(other), which is not below it")
            }
        }
    }

    @Test func `a library with walls is imported only where the table says`() throws {
        for source in try repository.sources() {
            for name in repository.imports(of: source) {
                guard let allowed = Imports.onlyImporters[name] else { continue }
                #expect(allowed.contains(source.module), "\(source.path) imports \(name)")
            }
        }
    }

    @Test func `no shipped module imports the test kit`() throws {
        for (module, imported) in try repository.edges() {
            #expect(!imported.contains("TestKit"), "\(module) imports TestKit")
        }
    }

    @Test func `the drawn graph is that of the imports`() throws {
        let file = repository.root.appending(path: "Docs/Architecture.md")
        let drawn = Architecture(edges: try repository.edges()).page
        if ProcessInfo.processInfo.environment["AIAS_DRAW"] == "1" { try drawn.write(to: file, atomically: true, encoding: .utf8) }
        let written = try String(contentsOf: file, encoding: .utf8)
        #expect(written == drawn, "Docs/Architecture.md is stale: run AIAS_DRAW=1 swift test --filter ArchitectureTests and commit it")
    }
}

/// Docs/Architecture.md as it follows from the imports.
struct Architecture {
    let edges: [String: Set<String>]

    var page: String {
        var lines: [String] = [
            "# Architecture", "",
            "One package, a modular monolith: each module is a folder of `Sources` with one door, and imports go downward only. This page is",
            "drawn from the imports by a test (`Tests/ArchitectureTests`), which also holds the table of what is allowed.", "", "```mermaid",
            "graph BT"
        ]
        let layers = Imports.layers.flatMap { $0 } + Imports.beside.keys.sorted()
        let direct = reduced
        for module in layers {
            for other in (direct[module] ?? []).sorted() { lines.append("    \(module) --> \(other)") }
        }
        lines += ["```", "", "Edges that follow from others are left out of the drawing; the whole list:", ""]
        for module in layers where edges[module] != nil {
            let imported = (edges[module] ?? []).sorted()
            lines.append("- **\(module)**: \(imported.isEmpty ? "none" : imported.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Without the edges that a longer way already implies.
    private var reduced: [String: Set<String>] {
        edges.mapValues { imported in
            imported.filter { candidate in !imported.contains { $0 != candidate && reaches($0, candidate) } }
        }
    }

    private func reaches(_ from: String, _ to: String) -> Bool {
        (edges[from] ?? []).contains { $0 == to || reaches($0, to) }
    }
}
