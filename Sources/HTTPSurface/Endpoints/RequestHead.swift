internal import HTTPTypes
internal import Kernel

/// The head of a request as handlers and authentication see it.
package struct RequestHead: Sendable {
    let fields: HTTPFields
    let authority: String?
    /// `GET`, `POST`, …, also methods this program does not know.
    package let method: String
    /// Percent-encoded, without the tenant's path twin and the query.
    package let path: String
    /// Without the question mark, percent-encoded.
    package let rawQuery: String
    package let requestID: String
    private let remoteAddress: @Sendable () -> String?

    init(
        _ request: HTTPRequest, path: String, rawQuery: String, requestID: String, remoteAddress: @escaping @Sendable () -> String?
    ) {
        fields = request.headerFields
        authority = request.authority
        method = request.method.rawValue
        self.path = path
        self.rawQuery = rawQuery
        self.requestID = requestID
        self.remoteAddress = remoteAddress
    }

    /// The first value of a header, its name in any case.
    package func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { self[$0] } }

    /// As the fields' own subscript, which puts together what nearly always is one value or none.
    subscript(_ name: HTTPField.Name) -> String? {
        var found: String?
        for field in fields where field.name == name {
            guard found == nil else { return fields[name] }
            found = field.value
        }
        return found
    }

    /// The media type of the body, in lower case and without its parameters.
    package var mediaType: String? {
        guard let type = self[.contentType] else { return nil }
        let end = type.utf8.firstIndex { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: " ") } ?? type.endIndex
        return type[..<end].lowercased()
    }

    /// All headers in their order, names in lower case, repeated ones repeated; `host` comes first.
    package var headers: [(name: String, value: String)] {
        var all: [(name: String, value: String)] = []
        all.reserveCapacity(fields.count + 1)
        if let authority { all.append(("host", authority)) }
        for field in fields { all.append((field.name.canonicalName, field.value)) }
        return all
    }

    /// Host and port as the client wrote them, in lower case.
    package var host: String { (authority ?? "").lowercased() }

    /// The token of `Authorization: Bearer …`.
    package var bearerToken: String? {
        guard let value = self[.authorization], value.utf8.count > 7, value.prefix(7).lowercased() == "bearer " else { return nil }
        return String(value.dropFirst(7))
    }

    package func cookie(_ name: String) -> String? {
        for field in fields[values: .cookie] {
            for part in field.split(separator: ";") {
                let pair = part.drop { $0 == " " }
                guard let equals = pair.firstIndex(of: "="), pair[..<equals] == name else { continue }
                return String(pair[pair.index(after: equals)...])
            }
        }
        return nil
    }

    /// The address of the peer, or as the trusted proxy in front names it; nil where there is none (unix sockets, tests).
    package var clientAddress: String? { remoteAddress() }
}
