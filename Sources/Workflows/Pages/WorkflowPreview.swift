internal import HTTPSurface
internal import Kernel

/// A drawing of a workflow, made from its document: for lists, and for who reads without scripts.
struct WorkflowPreview {
    let document: WorkflowDocument

    private static let nodeWidth = 200.0
    private static let nodeHeight = 64.0
    private static let margin = 24.0
    private static let nodesDrawn = 200

    /// - Parameter label: what a screen reader says in place of the drawing.
    func svg(label: String) -> HTML {
        let nodes = document.nodes.filter { $0.kind != "sticky_note" }.prefix(Self.nodesDrawn)
        guard !nodes.isEmpty else { return .empty }
        let places = Dictionary(nodes.map { ($0.id, (x: $0.position[0], y: $0.position[1])) }, uniquingKeysWith: { first, _ in first })
        let left = (places.values.map(\.x).min() ?? 0) - Self.margin
        let top = (places.values.map(\.y).min() ?? 0) - Self.margin
        let width = (places.values.map(\.x).max() ?? 0) + Self.nodeWidth + Self.margin - left
        let height = (places.values.map(\.y).max() ?? 0) + Self.nodeHeight + Self.margin - top
        var edges: [HTML] = []
        for node in nodes {
            guard let from = places[node.id] else { continue }
            for edge in node.connections {
                guard let to = places[edge.to] else { continue }
                edges.append("<path d=\"\(path(from, to))\"/>")
            }
        }
        let boxes: [HTML] = nodes.map { node in
            let (x, y) = (Self.text(node.position[0]), Self.text(node.position[1]))
            let (middle, line) = (Self.text(node.position[0] + Self.nodeWidth / 2), Self.text(node.position[1] + Self.nodeHeight / 2 + 5))
            return """
                <g class="\(node.category.rawValue)"><rect x="\(x)" y="\(y)" width="200" height="64" rx="10"/>\
                <text x="\(middle)" y="\(line)" text-anchor="middle">\(Self.shortened(node.name))</text></g>
                """
        }
        let box = [left, top, width, height].map(Self.text).joined(separator: " ")
        return """
            <svg class="preview" viewBox="\(box)" role="img" aria-label="\(label)" preserveAspectRatio="xMidYMid meet">\
            <g class="edges">\(edges)</g>\(boxes)</svg>
            """
    }

    private func path(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double)) -> String {
        let (x, y) = (from.x + Self.nodeWidth, from.y + Self.nodeHeight / 2)
        let end = to.y + Self.nodeHeight / 2
        let bend = max(40, abs(to.x - x) / 2)
        return
            "M\(Self.text(x)) \(Self.text(y))C\(Self.text(x + bend)) \(Self.text(y)) \(Self.text(to.x - bend)) \(Self.text(end)) \(Self.text(to.x)) \(Self.text(end))"
    }

    private static func text(_ number: Double) -> String { String(Int(max(-1e9, min(1e9, number.isNaN ? 0 : number)).rounded())) }

    private static func shortened(_ name: String) -> String { name.count > 24 ? String(name.prefix(23)) + "…" : name }
}
