internal import Foundation

/// What a credential adds to a request; pure, so that a node can show it without sending.
package enum RequestAuthentication {
    /// RFC 7617, in UTF-8.
    package static func basic(user: String, password: String) -> (name: String, value: String) {
        ("Authorization", "Basic " + Data("\(user):\(password)".utf8).base64EncodedString())
    }

    /// RFC 6750, 2.1.
    package static func bearer(_ token: String) -> (name: String, value: String) { ("Authorization", "Bearer " + token) }
}

extension OutboundRequest {
    /// Sets a header; those of the same name, in any case, go.
    package mutating func setHeader(_ name: String, _ value: String) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
        headers.append((name, value))
    }

    package mutating func authenticate(user: String, password: String) {
        let header = RequestAuthentication.basic(user: user, password: password)
        setHeader(header.name, header.value)
    }

    package mutating func authenticate(bearer token: String) {
        let header = RequestAuthentication.bearer(token)
        setHeader(header.name, header.value)
    }

    /// For services that take their key as a query parameter.
    package mutating func authenticate(query name: String, value: String) {
        url = QueryParameters([.init(name, value)]).merged(into: url)
    }
}
