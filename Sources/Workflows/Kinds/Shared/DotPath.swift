internal import Kernel

/// A property path as n8n's fields take it: `a.b[0]['c d'].e`. A member whose whole name is the path wins over the path.
struct DotPath: Sendable, Hashable {
    let text: String
    let keys: [String]

    /// - Parameter dotNotation: false takes the whole text as one name.
    init(_ text: String, dotNotation: Bool = true) {
        self.text = text
        keys = dotNotation ? DotPath.split(text) : [text]
    }

    func value(in object: JSONObject) -> JSON? {
        if let direct = object[text] { return direct }
        var value: JSON? = .object(object)
        for key in keys {
            switch value {
            case .object(let members): value = members[key]
            case .array(let elements): value = Int(key).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
            default: return nil
            }
        }
        return value
    }

    /// Objects and, before an index, arrays are made on the way; what stands in the way and is neither is replaced.
    func set(_ value: JSON, in object: inout JSONObject) {
        if object.contains(key: text) {
            object[text] = value
            return
        }
        guard let first = keys.first else { return }
        object[first] = DotPath.setting(value, at: keys.dropFirst(), in: object[first])
    }

    func remove(from object: inout JSONObject) {
        if object.removeValue(forKey: text) != nil { return }
        guard let first = keys.first, let member = object[first] else { return }
        object[first] = DotPath.removing(keys.dropFirst(), from: member)
    }

    private static func setting(_ value: JSON, at keys: ArraySlice<String>, in old: JSON?) -> JSON {
        guard let key = keys.first else { return value }
        let rest = keys.dropFirst()
        if let index = index(key), old?.array != nil || old?.object == nil {
            var elements = old?.array ?? []
            while elements.count <= index { elements.append(.null) }
            elements[index] = setting(value, at: rest, in: elements[index])
            return .array(elements)
        }
        var members = old?.object ?? [:]
        members[key] = setting(value, at: rest, in: members[key])
        return .object(members)
    }

    /// nil removes the value itself.
    private static func removing(_ keys: ArraySlice<String>, from value: JSON) -> JSON? {
        guard let key = keys.first else { return nil }
        switch value {
        case .object(var members):
            guard let member = members[key] else { return value }
            members[key] = removing(keys.dropFirst(), from: member)
            return .object(members)
        case .array(var elements):
            guard let index = index(key), elements.indices.contains(index) else { return value }
            elements[index] = removing(keys.dropFirst(), from: elements[index]) ?? .null
            return .array(elements)
        default: return value
        }
    }

    private static func index(_ key: String) -> Int? {
        guard let index = Int(key), index >= 0, index <= KindLimits.pathIndex, String(index) == key else { return nil }
        return index
    }

    private static func split(_ text: String) -> [String] {
        var keys: [String] = []
        var key = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case ".":
                if !key.isEmpty { keys.append(key) }
                key = ""
            case "[":
                guard let end = rest.firstIndex(of: "]") else { key.append(character); continue }
                if !key.isEmpty { keys.append(key) }
                key = ""
                keys.append(unquoted(rest[..<end]))
                rest = rest[rest.index(after: end)...]
            default: key.append(character)
            }
        }
        if !key.isEmpty || keys.isEmpty { keys.append(key) }
        return keys
    }

    private static func unquoted(_ text: Substring) -> String {
        guard text.count >= 2, let quote = text.first, quote == "'" || quote == "\"", text.last == quote else { return String(text) }
        return String(text.dropFirst().dropLast())
    }
}
