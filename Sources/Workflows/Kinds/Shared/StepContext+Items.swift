internal import Kernel

extension StepContext {
    var version: Double { node.kindVersion }

    /// Whether a failed item goes on as an `{error}` item instead of stopping the run.
    var continuesOnError: Bool { node.onError != .stop }

    /// Runs `body` for every input item in order. Where the node continues on errors, a failed item becomes one item with `error`.
    /// Items without lineage get the input item they were made from.
    func eachItem(_ body: (Int, Item) async throws -> [Item]) async throws -> [Item] {
        var out: [Item] = []
        out.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            do {
                for var made in try await body(index, item) {
                    if made.pairedItem == nil { made.pairedItem = [PairedItem(item: index)] }
                    out.append(made)
                }
            } catch {
                out.append(try failed(error, at: index))
            }
        }
        return out
    }

    /// The `{error}` item of a failed input item.
    /// - Throws: the failure itself where the node stops on errors.
    func failed(_ error: any Error, at index: Int, input: Int = 0) throws -> Item {
        let failure = StepFailure(wrapping: error, itemIndex: index)
        guard continuesOnError, !(error is CancellationError) else { throw failure }
        return Item(json: ["error": .string(failure.message)], pairedItem: [PairedItem(item: index, input: input)], error: failure.json)
    }

    /// A parameter, or the default that the declaration has for it at this node's version.
    func value(_ path: String, item: Int = 0) async throws -> JSON? {
        if let value = try await parameter(path, item: item) { return value }
        return kind.defaultValue(of: path, for: node)
    }

    func text(_ path: String, item: Int = 0, default fallback: String = "") async throws -> String {
        guard let value = try await value(path, item: item), !value.isNull else { return fallback }
        return value.displayText
    }

    func flag(_ path: String, item: Int = 0) async throws -> Bool {
        guard let value = try await value(path, item: item) else { return false }
        if case .string(let text) = value { return text == "true" }
        return value.isTruthy
    }

    /// - Throws: `invalid_parameter` where the value is no number.
    func number(_ path: String, item: Int = 0) async throws -> Double? {
        guard let value = try await value(path, item: item), !value.isNull, value != "" else { return nil }
        let number = value.coercedNumber
        guard !number.isNaN else {
            throw StepFailure.invalid(path, "'\(path)' must be a number, not '\(value.displayText)'.", item: item)
        }
        return number
    }

    /// Names in a parameter: a list, or text divided by commas.
    func names(_ path: String, item: Int = 0) async throws -> [String] {
        switch try await value(path, item: item) {
        case .array(let elements)?: return elements.map(\.displayText).filter { !$0.isEmpty }
        case let value?: return value.isNull ? [] : StepContext.names(in: value.displayText)
        case nil: return []
        }
    }

    static func names(in text: String) -> [String] {
        text.split(separator: ",").map { String($0.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
            .filter { !$0.isEmpty }
    }
}

extension Item {
    /// The same item, made from input item `index`.
    func paired(with index: Int, input: Int = 0) -> Item {
        let place = PairedItem(item: index, input: input)
        if let known = pairedItem, known.count == 1, known[0] == place { return self }
        var item = self
        item.pairedItem = [place]
        return item
    }
}
