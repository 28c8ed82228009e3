internal import Kernel

/// Work that waits, each tenant's in the order in which it came, and the tenants in turn: one with much holds up no other. Work of no tenant, such as to
/// see who calls, is every other one where there is some, since that is for all of them.
struct TurnQueue<Element> {
    private var own = Line<Element>()
    private var lines: [TenantID: Line<Element>] = [:]
    /// Tenants with work, the next one first.
    private var turns = Line<TenantID>()
    private var wasOwn = false

    var isEmpty: Bool { own.isEmpty && turns.isEmpty }

    mutating func append(_ element: Element, of tenant: TenantID?) {
        guard let tenant else { return own.append(element) }
        if lines[tenant] == nil { turns.append(tenant) }
        lines[tenant, default: Line()].append(element)
    }

    mutating func popFirst() -> Element? {
        if !own.isEmpty, turns.isEmpty || !wasOwn {
            wasOwn = true
            return own.popFirst()
        }
        wasOwn = false
        guard let tenant = turns.popFirst(), let element = lines[tenant]?.popFirst() else { return nil }
        if lines[tenant]?.isEmpty == true { lines[tenant] = nil } else { turns.append(tenant) }
        return element
    }
}

/// First in, first out, at the same cost however many there are.
private struct Line<Element> {
    /// From where on those that were taken are dropped, once they are half of all; and the room that is kept.
    private static var slack: Int { 64 }

    private var elements: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let first: Element? = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: elements.count <= Self.slack)
            head = 0
        } else if head >= Self.slack, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return first
    }
}
