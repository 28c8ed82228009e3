internal import Kernel

/// What a step of requests has done so far. Kept over its waits, so that no request that was answered is sent again.
struct HttpProgress: Sendable {
    /// A request that is to be sent again, or the next page of one.
    struct Place: Sendable {
        /// Attempts of the request that ended already.
        var attempts = 0
        var pages: HttpPages?
    }

    /// The first item of the batch under way.
    var next = 0
    private(set) var places: [Int: Place] = [:]
    private var results: [Int: [Item]] = [:]

    init() {}

    /// Takes up what the same run of the node kept.
    init?(_ state: JSON, run: Int) {
        guard let kept = state["http"], kept["run"]?.integer == run else { return nil }
        next = kept["next"]?.integer ?? 0
        for (key, items) in kept["results"]?.object ?? [:] {
            if let index = Int(key) { results[index] = (items.array ?? []).map(Item.init(stored:)) }
        }
        for (key, place) in kept["places"]?.object ?? [:] {
            guard let index = Int(key) else { continue }
            places[index] = Place(attempts: place["attempts"]?.integer ?? 0, pages: place["pages"].map(HttpPages.init(stored:)))
        }
    }

    func state(run: Int) -> JSON {
        let results = JSONObject(self.results.sorted { $0.key < $1.key }.map { (String($0.key), .array($0.value.map(\.stored))) })
        let places = JSONObject(
            self.places.sorted { $0.key < $1.key }.map { index, place in
                var members: JSONObject = ["attempts": .number(Double(place.attempts))]
                members["pages"] = place.pages?.stored
                return (String(index), .object(members))
            })
        return ["http": ["run": .number(Double(run)), "next": .number(Double(next)), "results": .object(results), "places": .object(places)]]
    }

    func open(in range: Range<Int>) -> [Int] { range.filter { results[$0] == nil } }

    mutating func finish(_ index: Int, _ items: [Item]) {
        results[index] = items
        places[index] = nil
    }

    mutating func pause(_ index: Int, at place: Place) { places[index] = place }

    var items: [Item] {
        if results.count == 1, let only = results.first { return only.value }
        return results.sorted { $0.key < $1.key }.flatMap(\.value)
    }
}

/// The pages of one item's request that were read before a wait.
struct HttpPages: Sendable {
    /// The number of the page to ask for next, from 0.
    var page: Int
    var items: [Item]
    /// `$response`, `$request` and `$pageCount` after the last page.
    var roots: JSONObject
    /// The next address, where pages name it.
    var url: String?

    var stored: JSON {
        var members: JSONObject = ["page": .number(Double(page)), "items": .array(items.map(\.stored)), "roots": .object(roots)]
        members["url"] = url.map { .string($0) }
        return .object(members)
    }

    init(page: Int, items: [Item], roots: JSONObject, url: String?) {
        self.page = page
        self.items = items
        self.roots = roots
        self.url = url
    }

    init(stored: JSON) {
        self.init(
            page: stored["page"]?.integer ?? 0, items: (stored["items"]?.array ?? []).map(Item.init(stored:)),
            roots: stored["roots"]?.object ?? [:], url: stored["url"]?.text)
    }
}

/// Thrown where a request must wait for longer than a step sleeps.
struct HttpPause: Error {
    var until: Timestamp
    var place: HttpProgress.Place
}
