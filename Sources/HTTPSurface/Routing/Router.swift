/// Finds the endpoint of a path and method; literal segments come before parameters, parameters before `{rest*}`.
package struct Router: Sendable {
    final class Node: Sendable {
        let literals: [Substring: Node]
        let parameter: Node?
        let endpoints: [Method: Endpoint]
        let rest: [Method: Endpoint]

        init(literals: [Substring: Node], parameter: Node?, endpoints: [Method: Endpoint], rest: [Method: Endpoint]) {
            self.literals = literals
            self.parameter = parameter
            self.endpoints = endpoints
            self.rest = rest
        }
    }

    /// What was found; `values` stand in the order of the template's parameters, still percent-encoded.
    enum Match {
        case endpoint(Endpoint, values: [Substring])
        case otherMethods([Method])
        case nothing
    }

    private let root: Node

    package init(_ endpoints: [Endpoint]) {
        root = Router.node(endpoints.map { ($0, $0.path.segments[...]) })
    }

    private static func node(_ entries: [(endpoint: Endpoint, left: ArraySlice<PathTemplate.Segment>)]) -> Node {
        var literals: [Substring: [(Endpoint, ArraySlice<PathTemplate.Segment>)]] = [:]
        var parameters: [(Endpoint, ArraySlice<PathTemplate.Segment>)] = []
        var here: [Method: Endpoint] = [:]
        var rest: [Method: Endpoint] = [:]
        for (endpoint, left) in entries {
            switch left.first {
            case nil:
                precondition(here[endpoint.method] == nil, "two endpoints for \(endpoint.method.rawValue) \(endpoint.path)")
                here[endpoint.method] = endpoint
            case .literal(let text): literals[Substring(text), default: []].append((endpoint, left.dropFirst()))
            case .parameter: parameters.append((endpoint, left.dropFirst()))
            case .rest:
                precondition(rest[endpoint.method] == nil, "two endpoints for \(endpoint.method.rawValue) \(endpoint.path)")
                rest[endpoint.method] = endpoint
            }
        }
        return Node(
            literals: literals.mapValues { node($0) }, parameter: parameters.isEmpty ? nil : node(parameters), endpoints: here, rest: rest)
    }

    /// - Parameter path: begins with a slash, without query, percent-encoded. A closing slash is another path, except for `{rest*}`.
    func match(_ method: Method?, _ path: Substring) -> Match {
        var other: Set<Method> = []
        var values: [Substring] = []
        if let found = find(method, root, path.dropFirst(), path.utf8.count <= 1, &values, &other) {
            return .endpoint(found, values: values)
        }
        return other.isEmpty ? .nothing : .otherMethods(Method.allCases.filter(other.contains))
    }

    private func find(
        _ method: Method?, _ node: Node, _ left: Substring, _ atEnd: Bool, _ values: inout [Substring], _ other: inout Set<Method>
    ) -> Endpoint? {
        if atEnd { return pick(method, node.endpoints, &other) }
        let slash = left.utf8.firstIndex(of: UInt8(ascii: "/"))
        let segment = left[..<(slash ?? left.endIndex)]
        let tail = slash.map { left[left.utf8.index(after: $0)...] } ?? ""
        if let next = node.literals[segment], let found = find(method, next, tail, slash == nil, &values, &other) { return found }
        if let next = node.parameter, !segment.isEmpty {
            values.append(segment)
            if let found = find(method, next, tail, slash == nil, &values, &other) { return found }
            values.removeLast()
        }
        if !left.isEmpty, let found = pick(method, node.rest, &other) {
            values.append(left)
            return found
        }
        return nil
    }

    private func pick(_ method: Method?, _ endpoints: [Method: Endpoint], _ other: inout Set<Method>) -> Endpoint? {
        if endpoints.isEmpty { return nil }
        if let method, let found = endpoints[method] { return found }
        if let found = endpoints[.any] { return found }
        other.formUnion(endpoints.keys)
        return nil
    }
}

/// Percent-encoding of URLs (RFC 3986, 2.1).
package enum Percent {
    /// The decoded text, or nil where an escape is incomplete or the bytes are no UTF-8.
    /// - Parameter plusIsSpace: as in forms and query strings.
    package static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        let source = text.utf8
        guard source.contains(where: { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) }) else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count)
        var index = source.startIndex
        while index < source.endIndex {
            let byte = source[index]
            source.formIndex(after: &index)
            guard byte == UInt8(ascii: "%") else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                continue
            }
            guard let end = source.index(index, offsetBy: 2, limitedBy: source.endIndex),
                let value = UInt8(text[index..<end], radix: 16), source[index] != UInt8(ascii: "+")
            else { return nil }
            bytes.append(value)
            index = end
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Everything but unreserved characters is escaped, so that the result fits a path segment or a query value.
    package static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
