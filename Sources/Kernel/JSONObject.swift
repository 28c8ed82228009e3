internal import OrderedCollections

/// The members of a JSON object in insertion order; setting a present key keeps its place, as in ECMAScript.
package struct JSONObject: Sendable, Hashable {
    private var members: OrderedDictionary<String, JSON>

    package init() { members = [:] }

    /// A repeated key keeps its first place and its last value.
    package init(_ pairs: some Sequence<(String, JSON)>) {
        members = [:]
        members.reserveCapacity(pairs.underestimatedCount)
        for (key, value) in pairs { members.updateValue(value, forKey: key) }
    }

    /// As for any sequence; compiled for the one that all literals are.
    package init(_ pairs: [(String, JSON)]) {
        members = [:]
        guard !pairs.isEmpty else { return }
        members.reserveCapacity(pairs.count)
        for (key, value) in pairs { members.updateValue(value, forKey: key) }
    }

    /// Setting nil removes the member.
    package subscript(_ key: String) -> JSON? {
        get { members[key] }
        set { members[key] = newValue }
    }

    package subscript(_ key: String, default fallback: @autoclosure () -> JSON) -> JSON {
        get { members[key] ?? fallback() }
        set { members[key] = newValue }
    }

    package var keys: [String] { Array(members.keys) }
    package var values: [JSON] { Array(members.values) }
    package func contains(key: String) -> Bool { members[key] != nil }

    @discardableResult
    package mutating func removeValue(forKey key: String) -> JSON? { members.removeValue(forKey: key) }

    /// Adds the other's members; those of both keep their place and take the other's value.
    package mutating func merge(_ other: JSONObject) { members.merge(other.members, uniquingKeysWith: { _, new in new }) }

    package mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }

    package mutating func sort(by precedes: (String, String) -> Bool) { members.sort { precedes($0.key, $1.key) } }
}

extension JSONObject: RandomAccessCollection, ExpressibleByDictionaryLiteral {
    package typealias Element = (key: String, value: JSON)

    package var startIndex: Int { 0 }
    package var endIndex: Int { members.count }
    package subscript(position: Int) -> Element {
        let element = members.elements[position]
        return (element.key, element.value)
    }

    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}

extension JSONObject {
    /// Equal members in any order: two texts that differ in member order alone are the same JSON.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        return left.members.allSatisfy { right.members[$0.key] == $0.value }
    }

    package func hash(into hasher: inout Hasher) {
        var sum = 0
        for (key, value) in members {
            var member = Hasher()
            member.combine(key)
            member.combine(value)
            sum = sum &+ member.finalize()
        }
        hasher.combine(sum)
    }
}
