import Kernel
import Testing

@testable import Workflows

@Suite struct N8nStretchTests {
    let importer = N8nImporter(kind: { KindRegistry.builtIn.kind(n8nType: $0) }, supports: KindRegistry.builtIn.supports)
    let exporter = N8nExporter { KindRegistry.builtIn.kind($0)?.n8nTypes.first }

    private func node(_ name: String, _ x: Double, _ y: Double) -> JSON {
        [
            "id": .string(name), "name": .string(name), "type": "n8n-nodes-base.noOp", "typeVersion": 1, "position": [.number(x), .number(y)],
            "parameters": [:]
        ]
    }

    private func note(_ name: String, _ x: Double, _ y: Double, _ parameters: JSON) -> JSON {
        [
            "id": .string(name), "name": .string(name), "type": "n8n-nodes-base.stickyNote", "typeVersion": 1, "position": [.number(x), .number(y)],
            "parameters": parameters
        ]
    }

    private func workflow(_ nodes: [JSON]) -> JSON { ["name": "W", "nodes": .array(nodes), "connections": [:]] }

    private func places(_ nodes: [JSON]) throws -> [[Double]] { try importer.read(workflow(nodes)).document.nodes.map(\.position) }

    @Test func `neighbours that are too close are drawn apart, and others follow them`() throws {
        let far = try places([node("A", 0, 0), node("B", 260, 0), node("C", 0, 100)])
        #expect(far == [[0, 0], [260, 0], [0, 100]])
        let close = try places([node("A", 0, 0), node("B", 200, 0), node("C", 200, 300), node("D", 500, 0), node("E", -300, 0)])
        #expect(close == [[0, 0], [240, 0], [240, 300], [540, 0], [-300, 0]], "a column stays one, and what has room keeps its distance")
        let parts = try places([node("A", 0, 0), node("B", 120, 40), node("C", 240, 0), node("D", 60, 500)])
        #expect(parts == [[0, 0], [240, 40], [480, 0], [120, 500]])
    }

    @Test func `what lies on each other in n8n does so here`() throws {
        #expect(try places([node("A", 0, 0), node("B", 20, 10), node("C", 20, 10)]) == [[0, 0], [20, 10], [20, 10]])
    }

    @Test func `a note is as wide as what lies in it`() throws {
        let document = try importer.read(
            workflow([note("N", -40, -60, ["width": 400, "height": 300]), node("A", 0, 0), node("B", 200, 0), note("M", 1_000, 0, [:])])
        ).document
        #expect(document.nodes.map(\.position) == [[-40, -60], [0, 0], [240, 0], [1_096, 0]])
        #expect(document.nodes[0].config == ["width": 496, "height": 300], "200 for the node, and a margin")
        #expect(document.nodes[3].config == [:])
    }

    @Test func `an export gives back every place and size as n8n had them`() throws {
        let bare: JSON = ["name": "S", "type": "n8n-nodes-base.stickyNote", "position": [-10.5, -40]]
        let odd = workflow([
            node("A", 0, 0), node("B", 101, 0), node("C", 333.25, 7), note("N", -40, -60, ["width": "200", "height": 200]), bare,
            note("M", 60, -60, ["content": "x"]), note("P", 90, -60, ["width": 199.5]), note("Q", 90, -60, ["width": -5]), ["name": "Z", "type": "t"]
        ])
        let document = try importer.read(odd).document
        #expect(N8nOrigin(document.origin)?.stretch != nil)
        let stored = try WorkflowDocument(json: JSON(parsing: document.json.bytes))
        #expect(stored == document)
        #expect(exporter.write(stored).canonical == odd.canonical)
    }

    @Test func `what is moved, widened or added here goes back as far as what stands around it`() throws {
        var document = try importer.read(
            workflow([node("A", 0, 0), node("B", 200, 0), node("C", 400, 0), note("N", 0, 300, ["width": 400, "height": 200])])
        ).document
        #expect(document.nodes.map(\.position[0]) == [0, 240, 480, 0] && document.nodes[3].config["width"] == 480)
        document.nodes[1].position = [360, 120]
        document.nodes[3].config["width"] = 240
        document.nodes.append(WorkflowNode(id: "new", category: .action, kind: "noop", name: "New", position: [720, 0]))
        let nodes = exporter.write(document)["nodes"]?.array ?? []
        let places: [JSON] = nodes.compactMap { $0["position"] }
        let expected: [JSON] = [[0, 0], [300, 120], [400, 0], [0, 300], [640, 0]]
        #expect(places == expected)
        #expect(nodes[3]["parameters"] == ["width": 200, "height": 200])
    }

    @Test func `the order from left to right stays, since n8n runs branches by it`() throws {
        let xs: [Double] = [0, 90, 91, 92, 180, 181, 400, 401, 500]
        let drawn = try places(xs.enumerated().map { index, x in node("\(index)", x, 0) }).map { $0[0] }
        #expect(zip(drawn, drawn.dropFirst()).allSatisfy { $0 < $1 })
    }
}
