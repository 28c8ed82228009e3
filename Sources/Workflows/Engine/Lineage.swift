internal import Kernel

/// From which input items each item of an output was made, without a word per item in the common cases.
package enum Lineage: Sendable, Hashable {
    /// Nothing is known.
    case unknown
    /// Item i was made from item i of this input.
    case identity(input: Int)
    /// Every item was made from this one.
    case one(PairedItem)
    case explicit([[PairedItem]?])
    /// The same for many items that have one parent each, all of one input.
    case places([Int32], input: Int)

    /// nil where nothing is known of this item.
    func parents(of index: Int) -> [PairedItem]? {
        switch self {
        case .unknown: nil
        case .identity(let input): [PairedItem(item: index, input: input)]
        case .one(let parent): [parent]
        case .explicit(let parents): parents.indices.contains(index) ? parents[index] : nil
        case .places(let places, let input): places.indices.contains(index) ? [PairedItem(item: Int(places[index]), input: input)] : nil
        }
    }

    /// Reads what a node left on its items and fills in what it left out, by n8n's rules: all from the only input item; one to one
    /// where a single input and a single output have as many items; a lone output item from the first input item.
    /// - Parameters:
    ///   - inputCounts: items of each input.
    ///   - isOnlyOutput: whether the node gave a single output.
    init(of items: [Item], inputCounts: [Int], isOnlyOutput: Bool) {
        let inputCount = inputCounts.count == 1 ? inputCounts[0] : 0
        let fill: (Int) -> [PairedItem]? = { index in
            if inputCount == 1 { return [PairedItem(item: 0)] }
            if inputCount > 0, isOnlyOutput, inputCount == items.count { return [PairedItem(item: index)] }
            if inputCount > 0, isOnlyOutput, items.count == 1 { return [PairedItem(item: 0)] }
            return nil
        }
        self.init(items.enumerated().map { index, item in item.pairedItem ?? fill(index) })
    }

    /// The shortest form of these parents.
    init(_ parents: [[PairedItem]?]) {
        guard let head = parents.first, let known = head, known.count == 1 else {
            self = parents.allSatisfy { $0 == nil } ? .unknown : .explicit(parents)
            return
        }
        let input = known[0].input
        let isIdentity = parents.enumerated().allSatisfy { index, places in
            places.map { $0.count == 1 && $0[0] == PairedItem(item: index, input: input) } ?? false
        }
        if isIdentity {
            self = .identity(input: input)
        } else if parents.allSatisfy({ $0 == known }) {
            self = .one(known[0])
        } else {
            self = Lineage.places(parents, input: input) ?? .explicit(parents)
        }
    }

    private static func places(_ parents: [[PairedItem]?], input: Int) -> Lineage? {
        guard parents.count >= Limits.itemsWithPlainPlaces else { return nil }
        var places: [Int32] = []
        places.reserveCapacity(parents.count)
        for parent in parents {
            guard let parent, parent.count == 1, parent[0].input == input, parent[0].run == nil, let place = Int32(exactly: parent[0].item) else {
                return nil
            }
            places.append(place)
        }
        return .places(places, input: input)
    }
}

/// Many places as a text: how far each is from the one before, and how often in a row: `0,1x95,2`.
enum PlaceText {
    static func write(_ places: [Int32]) -> String {
        var (parts, last, step, count): ([String], Int, Int, Int) = ([], 0, 0, 0)
        func part() -> String { count == 1 ? "\(step)" : "\(step)x\(count)" }
        for place in places {
            let next = Int(place) - last
            last = Int(place)
            if next == step, count > 0 {
                count += 1
                continue
            }
            if count > 0 { parts.append(part()) }
            (step, count) = (next, 1)
        }
        if count > 0 { parts.append(part()) }
        return parts.joined(separator: ",")
    }

    /// - Returns: nil for what is no such text, or of more than `count` places.
    static func read(_ text: String, count limit: Int) -> [Int32]? {
        var (places, last): ([Int32], Int) = ([], 0)
        for part in text.split(separator: ",") {
            let words = part.split(separator: "x")
            guard let step = words.first.flatMap({ Int($0) }), let count = words.count == 1 ? 1 : Int(words[1]), count > 0,
                places.count + count <= limit
            else { return nil }
            for _ in 0..<count {
                last += step
                guard let place = Int32(exactly: last) else { return nil }
                places.append(place)
            }
        }
        return places
    }
}

/// What a step gave to one of its outputs.
package struct StepOutput: Sendable, Equatable {
    package var items: ItemList
    package var lineage: Lineage

    package init(_ items: ItemList, _ lineage: Lineage) {
        self.items = items
        self.lineage = lineage
    }
}

/// What arrived at one input of a step, and the output it came from; nil for what a run was started with.
package struct StepInput: Sendable, Equatable {
    package struct Source: Sendable, Hashable {
        package var node: Int
        package var output: Int
        package var runIndex: Int
    }
    package var items: ItemList
    package var source: Source?
}
