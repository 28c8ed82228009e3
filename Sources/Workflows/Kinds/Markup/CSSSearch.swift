/// Looks for the elements of a document that match selectors. Some selectors take quadratic time, so that the work is bounded.
final class CSSSearch {
    private typealias Simple = CSSSelector.Simple
    private typealias Complex = CSSSelector.Complex
    private typealias Parts = ArraySlice<(combinator: CSSSelector.Combinator, compound: [CSSSelector.Simple])>

    private let document: HtmlDocument
    private var stepsLeft = MarkupLimits.selectorSteps
    /// By parent: its elements, in order.
    private var siblings: [Int: [Int]] = [:]

    init(_ document: HtmlDocument) { self.document = document }

    /// The matching elements below `root`, in document order.
    /// - Throws: `selector_too_slow` where the search passes its limit of work.
    func elements(of selector: CSSSelector, below root: Int = 0) throws -> [Int] {
        if selector.alternatives.count == 1 { return try elements(selector.alternatives[0], below: root) }
        return Set(try selector.alternatives.flatMap { try elements($0, below: root) }).sorted()
    }

    func matches(_ element: Int, _ selector: CSSSelector) throws -> Bool {
        try selector.alternatives.contains { try matches(element, $0.parts[...]) }
    }

    private func elements(_ complex: Complex, below root: Int) throws -> [Int] {
        var found = try document.descendants(of: root).filter { try document.name($0) != nil && matches($0, complex.parts[...]) }
        for case .place(let name, let place) in complex.parts.last?.compound ?? [] { found = CSSSearch.picked(found, name, place) }
        return found
    }

    private static func picked(_ found: [Int], _ name: String, _ place: Int) -> [Int] {
        let counted = place < 0 ? found.count + place : place
        switch name {
        case "first": return Array(found.prefix(1))
        case "last": return Array(found.suffix(1))
        case "even": return found.indices.filter { $0 % 2 == 0 }.map { found[$0] }
        case "odd": return found.indices.filter { $0 % 2 == 1 }.map { found[$0] }
        case "gt": return found.indices.filter { $0 > counted }.map { found[$0] }
        case "lt": return found.indices.filter { $0 < counted }.map { found[$0] }
        default: return found.indices.contains(counted) ? [found[counted]] : []
        }
    }

    private func spend(_ steps: Int = 1) throws {
        stepsLeft -= steps
        guard stepsLeft >= 0 else {
            throw StepFailure("selector_too_slow", "The selector takes too long on this HTML; use a simpler one.", isRetryable: false)
        }
    }

    private func elementSiblings(of element: Int) throws -> [Int] {
        let parent = document.nodes[element].parent
        if let known = siblings[parent] { return known }
        let found = document.childElements(of: parent)
        try spend(document.nodes[parent].children.count)
        siblings[parent] = found
        return found
    }

    /// The place among the element siblings: they are in document order, which numbers them.
    private func place(of element: Int, in siblings: [Int]) -> Int {
        var (low, high) = (0, siblings.count)
        while low < high {
            let middle = (low + high) / 2
            if siblings[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Compounds and combinators

    /// Matches the last compound here and the others to its left.
    private func matches(_ element: Int, _ parts: Parts) throws -> Bool {
        try spend()
        guard let last = parts.last else { return true }
        guard try last.compound.allSatisfy({ try matches(element, $0) }) else { return false }
        let others = parts.dropLast()
        if others.isEmpty { return true }
        switch last.combinator {
        case .child:
            let parent = document.nodes[element].parent
            return try document.name(parent) != nil && matches(parent, others)
        case .descendant:
            var parent = document.nodes[element].parent
            while document.name(parent) != nil {
                if try matches(parent, others) { return true }
                parent = document.nodes[parent].parent
            }
            return false
        case .next:
            let siblings = try elementSiblings(of: element)
            let place = place(of: element, in: siblings)
            return try place > 0 && matches(siblings[place - 1], others)
        case .later:
            let siblings = try elementSiblings(of: element)
            return try siblings[..<place(of: element, in: siblings)].contains { try matches($0, others) }
        }
    }

    private func matches(_ element: Int, _ simple: Simple) throws -> Bool {
        switch simple {
        case .any, .place: return true
        case .tag(let name): return document.name(element)?.lowercased() == name
        case .id(let id): return document.attribute("id", of: element) == id
        case .className(let name): return CSSSearch.words(document.attribute("class", of: element)).contains { $0 == name }
        case .attribute(let name, let test, let ignoresCase):
            return CSSSearch.matches(document.attribute(name, of: element), test, ignoresCase: ignoresCase)
        case .nth(let step, let offset, let fromEnd, let sameName):
            var siblings = try elementSiblings(of: element)
            if sameName {
                try spend(siblings.count)
                siblings = siblings.filter { document.name($0) == document.name(element) }
            }
            let index = place(of: element, in: siblings)
            let distance = (fromEnd ? siblings.count - 1 - index : index) + 1 - offset
            return step == 0 ? distance == 0 : distance % step == 0 && distance / step >= 0
        case .onlyChild(let sameName):
            let siblings = try elementSiblings(of: element)
            if !sameName { return siblings.count == 1 }
            try spend(siblings.count)
            return siblings.allSatisfy { $0 == element || document.name($0) != document.name(element) }
        case .matches(let selector): return try matches(element, selector)
        case .not(let selector): return try !matches(element, selector)
        case .has(let selector): return try selector.alternatives.contains { try holds(element, $0) }
        case .contains(let text, let ignoresCase):
            let own = document.text(of: element)
            try spend(own.utf8.count)
            return text.isEmpty || (ignoresCase ? own.lowercased().contains(text.lowercased()) : own.contains(text))
        case .state(let name): return isIn(name, element)
        }
    }

    /// `:has()`: whether something that hangs on the element by the first combinator matches.
    private func holds(_ element: Int, _ relative: Complex) throws -> Bool {
        guard let first = relative.parts.first else { return false }
        let rest = Complex(parts: Array(relative.parts.dropFirst()))
        return try candidates(element, first.combinator).contains { candidate in
            try spend()
            guard try first.compound.allSatisfy({ try matches(candidate, $0) }) else { return false }
            return try rest.parts.isEmpty || holds(candidate, rest)
        }
    }

    private func candidates(_ element: Int, _ combinator: CSSSelector.Combinator) throws -> [Int] {
        switch combinator {
        case .descendant:
            let all = document.descendants(of: element)
            try spend(all.count)
            return all.filter { document.name($0) != nil }
        case .child: return document.childElements(of: element)
        case .next, .later:
            let siblings = try elementSiblings(of: element)
            let after = siblings[(place(of: element, in: siblings) + 1)...]
            return Array(combinator == .next ? after.prefix(1) : after)
        }
    }

    // MARK: Attributes and states

    private static func words(_ text: String?) -> [Substring] { (text ?? "").split { $0.isWhitespace } }

    private static func matches(_ value: String?, _ test: CSSSelector.AttributeTest, ignoresCase: Bool) -> Bool {
        guard let value else { if case .notEquals = test { return true } else { return false } }
        func folded(_ text: String) -> String { ignoresCase ? text.lowercased() : text }
        let own = folded(value)
        switch test {
        case .present: return true
        case .equals(let wanted): return own == folded(wanted)
        case .notEquals(let wanted): return own != folded(wanted)
        case .word(let wanted): return words(own).contains { $0 == folded(wanted) }
        case .dashed(let wanted): return own == folded(wanted) || own.hasPrefix(folded(wanted) + "-")
        case .prefix(let wanted): return !wanted.isEmpty && own.hasPrefix(folded(wanted))
        case .suffix(let wanted): return !wanted.isEmpty && own.hasSuffix(folded(wanted))
        case .contains(let wanted): return !wanted.isEmpty && own.contains(folded(wanted))
        }
    }

    private func isIn(_ state: String, _ element: Int) -> Bool {
        let name = document.name(element) ?? ""
        func has(_ attribute: String) -> Bool { document.attribute(attribute, of: element) != nil }
        let type = document.attribute("type", of: element)?.lowercased()
        switch state {
        case "root", "scope": return document.nodes[element].parent == 0
        case "empty":
            return document.nodes[element].children.allSatisfy { if case .comment = document.nodes[$0].content { true } else { false } }
        case "parent": return !document.nodes[element].children.isEmpty
        case "checked", "selected": return has("checked") || has("selected")
        case "disabled": return has("disabled")
        case "enabled": return !has("disabled") && ["button", "input", "select", "textarea", "optgroup", "option", "fieldset"].contains(name)
        case "header": return ["h1", "h2", "h3", "h4", "h5", "h6"].contains(name)
        case "input": return ["input", "textarea", "select", "button"].contains(name)
        case "button": return name == "button" || name == "input" && type == "button"
        case "text": return name == "input" && (type == nil || type == "text")
        case "link", "any-link": return ["a", "area"].contains(name) && has("href")
        case "required": return has("required")
        case "optional": return !has("required") && ["input", "select", "textarea"].contains(name)
        default: return name == "input" && type == state
        }
    }
}
