/// Those who wait to be served, by the network they come from. The networks take turns, so that who comes alone is served next but a few, however
/// many another one sends. Where all places are taken, a newcomer gets that of whoever came last from the network with the most.
struct FairLine<Element: Sendable>: Sendable {
    enum Entry: Sendable {
        case waits
        /// This one has lost the place.
        case replaces(Element)
        case refused
    }

    let places: Int
    private(set) var count = 0
    /// Networks in the order of their turns, each once.
    private var turns: [String] = []
    private var waiting: [String: [Element]] = [:]

    init(places: Int) { self.places = places }

    mutating func enter(_ element: Element, from network: String) -> Entry {
        var entry = Entry.waits
        if count == places {
            let own: Int = waiting[network]?.count ?? 0
            guard let largest = turns.max(by: { (waiting[$0]?.count ?? 0) < (waiting[$1]?.count ?? 0) }),
                var others = waiting[largest], others.count > own + 1
            else { return .refused }
            entry = .replaces(others.removeLast())
            waiting[largest] = others
            count -= 1
        }
        if waiting[network] == nil { turns.append(network) }
        waiting[network, default: []].append(element)
        count += 1
        return entry
    }

    /// Who is served now; of one network those who came first.
    mutating func next() -> Element? {
        guard !turns.isEmpty else { return nil }
        let network = turns.removeFirst()
        guard var line = waiting[network], !line.isEmpty else { preconditionFailure("whose turn it is waits") }
        let element = line.removeFirst()
        waiting[network] = line.isEmpty ? nil : line
        if !line.isEmpty { turns.append(network) }
        count -= 1
        return element
    }
}
