internal import Kernel
internal import Scripting

/// What expressions see while a draft is looked at: where a node has not run, its pinned data stand for what it gave.
struct PinnedScope: ExpressionScope {
    let base: RunScope
    /// The items by node name.
    let pinned: [String: [JSON]]

    init(_ base: RunScope, _ document: WorkflowDocument) {
        self.base = base
        pinned = document.pinnedData.compactMapValues { data in data.array.map { $0.map { ItemCodec.json(ItemCodec.item($0), pairedItem: nil) } } }
    }

    var facts: ExpressionFacts { base.facts }

    func inputItems(_ input: Int) throws(ScopeError) -> [JSON] { try base.inputItems(input) }

    func inputItem(_ index: Int) throws(ScopeError) -> JSON? { try base.inputItem(index) }

    func items(ofNode name: String, output: Int, run: Int?) throws(ScopeError) -> [JSON] {
        guard let items = standing(for: name) else { return try base.items(ofNode: name, output: output, run: run) }
        return output == 0 ? items : []
    }

    /// Without a run nothing says which item was made of which: those at the same place are taken for a pair, and the only one for all.
    func pairedItem(ofNode name: String, itemIndex: Int) throws(ScopeError) -> JSON {
        guard let items = standing(for: name) else { return try base.pairedItem(ofNode: name, itemIndex: itemIndex) }
        if items.count == 1 { return items[0] }
        guard items.indices.contains(itemIndex) else {
            throw ScopeError(code: "no_paired_item", message: "The pinned data of '\(name)' have no item \(itemIndex).")
        }
        return items[itemIndex]
    }

    func isExecuted(_ name: String) -> Bool { pinned[name] != nil || base.isExecuted(name) }
    func parameters(ofNode name: String) throws(ScopeError) -> JSON { try base.parameters(ofNode: name) }
    func context(ofNode name: String) throws(ScopeError) -> JSON { try base.context(ofNode: name) }
    func leadingOutput(ofNode name: String) -> Int { standing(for: name) == nil ? base.leadingOutput(ofNode: name) : 0 }

    private func standing(for name: String) -> [JSON]? { base.isExecuted(name) ? nil : pinned[name] }
}
