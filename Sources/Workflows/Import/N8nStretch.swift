internal import Kernel

/// How an imported arrangement is drawn apart from left to right: our nodes are wider than n8n's, so that neighbours in a row would touch, and
/// stick out of the notes around them. Only where there is too little room is it stretched; columns stay columns, and their order stays.
///
/// In the origin it is `[[x in n8n, x here], …]`, in pixels and ascending: linear between two of them, and beyond the first and the last as far
/// from it as before. So an export finds the way back, also for what was moved or added since.
struct N8nStretch {
    /// As wide as the editor and `WorkflowPreview` draw a node.
    private static let nodeWidth = 200.0
    /// From one node to the next in its row: its width, and an edge that can be seen.
    private static let step = 240.0
    /// From the start of a node to the end of a note around it.
    private static let framed = 216.0
    /// The least side of n8n's nodes. What is closer lies on each other there too, and stays so.
    private static let closest = 80.0
    /// Nodes whose tops are less apart stand in one row.
    private static let row = 80.0
    /// Of a note whose JSON has no size, as in n8n.
    private static let noteSize = (width: 240.0, height: 160.0)
    /// Nothing farther out is looked at; nobody arranges nodes there.
    private static let reach = 1_000_000.0

    /// Places in n8n and those here that belong to them.
    private var outer: [Double]
    private var inner: [Double]

    /// What must have a width here.
    private struct Span {
        var from: Double
        var to: Double
        var room: Double
    }

    private struct Spot {
        var x: Double
        var y: Double
    }

    /// - Parameter raws: n8n's nodes. nil where they need no more room.
    init?(_ raws: [JSONObject]) {
        let spots = raws.filter { !N8nStretch.isNote($0) }.compactMap(N8nStretch.spot).sorted { ($0.x, $0.y) < ($1.x, $1.y) }
        let spans = N8nStretch.rows(spots) + raws.filter(N8nStretch.isNote).compactMap { N8nStretch.frame($0, around: spots) }
        let places = Set(spans.flatMap { [$0.from, $0.to] }).sorted()
        guard let first = places.first else { return nil }
        let index = Dictionary(uniqueKeysWithValues: places.enumerated().map { ($1, $0) })
        var slopes = [Double](repeating: 1, count: places.count - 1)
        for span in spans {
            guard let from = index[span.from], let to = index[span.to] else { continue }
            for part in from..<to { slopes[part] = max(slopes[part], span.room / (span.to - span.from)) }
        }
        outer = [first]
        inner = [first]
        var place = first
        for part in slopes.indices {
            place += (places[part + 1] - places[part]) * slopes[part]
            if part + 1 < slopes.count, slopes[part + 1] == slopes[part] { continue }
            outer.append(places[part + 1])
            inner.append(place)
        }
    }

    /// Each node and the next in its row, where they are too close; those farther in it follow by themselves.
    private static func rows(_ spots: [Spot]) -> [Span] {
        spots.indices.compactMap { index -> Span? in
            let spot = spots[index]
            let next = spots[(index + 1)...].first { $0.x - spot.x >= closest && abs($0.y - spot.y) < row }
            guard let next, next.x - spot.x < step else { return nil }
            return Span(from: spot.x, to: next.x, room: step)
        }
    }

    /// The last node within a note, and the note's end.
    private static func frame(_ raw: JSONObject, around spots: [Spot]) -> Span? {
        guard let corner = spot(raw) else { return nil }
        let config = raw["parameters"]?.object ?? [:]
        let height = config["height"]?.double ?? noteSize.height
        guard let width = width(config), height.magnitude <= reach else { return nil }
        let end = corner.x + width
        let last = spots.last { (one: Spot) -> Bool in
            one.x >= corner.x && one.x + closest <= end && one.y >= corner.y && one.y + closest <= corner.y + height
        }
        guard let last, end - last.x < framed else { return nil }
        return Span(from: last.x, to: end, room: framed)
    }

    private static func spot(_ raw: JSONObject) -> Spot? {
        let position = N8nNode(raw).position
        guard position.allSatisfy({ $0.magnitude <= reach }) else { return nil }
        return Spot(x: position[0], y: position[1])
    }

    private static func isNote(_ raw: JSONObject) -> Bool { N8nTypes.annotations.contains(raw["type"]?.text ?? "") }

    /// nil where it is no width that could be drawn.
    private static func width(_ config: JSONObject) -> Double? {
        let width: Double? = config["width"] == nil ? noteSize.width : config["width"]?.double
        return width.flatMap { $0 >= 1 && $0 <= reach ? $0 : nil }
    }
}

extension N8nStretch {
    /// Puts an imported node where it stands here.
    func lay(_ node: inout WorkflowNode, isNote: Bool) {
        let x = node.position[0]
        if isNote, let width = N8nStretch.width(node.config), laid(width, at: x) != width { node.config["width"] = .number(laid(width, at: x)) }
        node.position[0] = here(x)
    }

    /// The node where n8n had it. One that was moved or added here goes as far back as those around it.
    func lifted(_ node: WorkflowNode, _ before: N8nOrigin.Node?) -> WorkflowNode {
        var lifted = node
        let old: Double? = before.map { N8nNode($0.members).position[0] }
        let isNote = before.map { N8nStretch.isNote($0.members) } ?? (node.kind == "sticky_note")
        if isNote, let width = node.config["width"]?.double {
            if let before, let old, width == laid(before.width ?? N8nStretch.noteSize.width, at: old) {
                lifted.config["width"] = before.width.map { .number($0) }
            } else {
                lifted.config["width"] = .number(there(node.position[0] + width) - there(node.position[0]))
            }
        }
        if let old, node.position[0] == here(old) { lifted.position[0] = old } else { lifted.position[0] = there(node.position[0]) }
        return lifted
    }

    /// The width here of a note at `x` in n8n.
    private func laid(_ width: Double, at x: Double) -> Double {
        width >= 1 && width <= N8nStretch.reach ? here(x + width) - here(x) : width
    }

    /// Where something at `x` in n8n stands here, and the other way round; whole pixels.
    func here(_ x: Double) -> Double { N8nStretch.carry(x, from: outer, to: inner) }
    func there(_ x: Double) -> Double { N8nStretch.carry(x, from: inner, to: outer) }

    private static func carry(_ place: Double, from: [Double], to: [Double]) -> Double {
        let next = from.firstIndex { $0 > place } ?? from.endIndex
        let carried: Double =
            if next == from.startIndex {
                place + to[next] - from[next]
            } else if next == from.endIndex {
                place + to[next - 1] - from[next - 1]
            } else {
                to[next - 1] + (place - from[next - 1]) * (to[next] - to[next - 1]) / (from[next] - from[next - 1])
            }
        // None is a zero with a sign.
        return carried.rounded() + 0
    }
}

extension N8nStretch {
    var json: JSON { .array(zip(outer, inner).map { JSON.array([.number($0), .number($1)]) }) }

    /// nil where there is none.
    init?(_ json: JSON?) {
        let pairs = (json?.array ?? []).map { ($0.array ?? []).compactMap(\.double) }
        guard !pairs.isEmpty, pairs.allSatisfy({ $0.count == 2 }) else { return nil }
        outer = pairs.map { $0[0] }
        inner = pairs.map { $0[1] }
    }
}
