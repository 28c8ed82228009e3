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

    /// nil where nothing is known of this item.
    func parents(of index: Int) -> [PairedItem]? {
        switch self {
        case .unknown: nil
        case .identity(let input): [PairedItem(item: index, input: input)]
        case .one(let parent): [parent]
        case .explicit(let parents): parents.indices.contains(index) ? parents[index] : nil
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
            self = .explicit(parents)
        }
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
