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
            moved["position"] = [12, -7.5]
            nodes[index] = .object(moved)
            expected["nodes"] = .array(nodes)
            #expect(Self.exporter.write(document).canonical == JSON.object(expected).canonical, "\(entry.id) \(entry.name)")
        }
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
