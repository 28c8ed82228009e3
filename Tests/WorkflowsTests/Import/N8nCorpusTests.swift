import Kernel
import Testing

@testable import Workflows

@Suite struct N8nCorpusTests {
    static let importer = N8nImporter(
        kind: { type in
            type == "n8n-nodes-base.set" ? NodeKind(kind: "set", category: .action, title: "Set", summary: "", n8nTypes: [type]) : nil
        }, supports: { _, _, _ in true })
    static let exporter = N8nExporter { $0 == "set" ? "n8n-nodes-base.set" : nil }

    @Test(.enabled(if: Corpus.isPresent)) func `every workflow of the corpus comes back as it went in`() throws {
        let entries = try Corpus.entries()
        #expect(entries.count == 493)
        for entry in entries {
            let document = try Self.importer.read(entry.workflow, name: entry.name).document
            // By way of the stored form, as in life.
            let stored = try WorkflowDocument(json: JSON(parsing: document.json.bytes))
            #expect(stored == document, "\(entry.id) is stored otherwise")
            let back = Self.exporter.write(stored)
            #expect(back.canonical == entry.workflow.canonical, "\(entry.id) \(entry.name)")
        }
    }

    @Test(.enabled(if: Corpus.isPresent)) func `moving one node changes its position and nothing else`() throws {
        for entry in try Corpus.entries() {
            var document = try Self.importer.read(entry.workflow, name: entry.name).document
            guard let index = document.nodes.indices.last, case .object(var expected) = entry.workflow else { continue }
            document.nodes[index].position = [12, -7.5]
            var nodes = expected["nodes"]?.array ?? []
            guard case .object(var moved) = nodes[index] else { continue }
            let stretch = N8nOrigin(document.origin)?.stretch
            moved["position"] = [.number(stretch?.there(12) ?? 12), -7.5]
            nodes[index] = .object(moved)
            expected["nodes"] = .array(nodes)
            #expect(Self.exporter.write(document).canonical == JSON.object(expected).canonical, "\(entry.id) \(entry.name)")
        }
    }

    @Test(.enabled(if: Corpus.isPresent)) func `no two nodes lie on each other here, though they would where they stand in n8n`() throws {
        func touches(_ nodes: [[Double]]) -> Bool {
            nodes.indices.contains { index in
                nodes[..<index].contains { other in abs(other[0] - nodes[index][0]) < 200 && abs(other[1] - nodes[index][1]) < 64 }
            }
        }
        var touching = 0
        for entry in try Corpus.entries() {
            let document = try Self.importer.read(entry.workflow, name: entry.name).document
            let drawn = document.nodes.filter { !$0.kind.hasSuffix(".stickyNote") }
            let ids = Set(drawn.map(\.id))
            let origin = N8nOrigin(document.origin)
            let before: [[Double]] = (origin?.nodes ?? [:]).filter { ids.contains($0.key) }.map { N8nNode($0.value.members).position }
            if touches(before) { touching += 1 }
            #expect(!touches(drawn.map(\.position)), "\(entry.id) \(entry.name)")
        }
        print("\(touching) templates have nodes that would touch")
        #expect(touching > 200)
    }

    @Test(.enabled(if: Corpus.isPresent)) func `edges follow a node that is renamed`() throws {
        for entry in try Corpus.entries() {
            var document = try Self.importer.read(entry.workflow, name: entry.name).document
            guard let index = document.nodes.firstIndex(where: { !$0.connections.isEmpty }) else { continue }
            let old = document.nodes[index].name
            document.nodes[index].name = "Renamed node"
            let written = Self.exporter.write(document)
            #expect(written["connections"]?[old] == nil)
            #expect(written["connections"]?["Renamed node"] != nil)
            let again = try Self.importer.read(written, name: entry.name).document
            #expect(again.nodes.map(\.connections) == document.nodes.map(\.connections), "\(entry.id) \(entry.name)")
        }
    }
}
