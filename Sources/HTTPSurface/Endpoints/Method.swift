/// The method of an endpoint. HEAD is answered by GET endpoints without their body.
package enum Method: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    /// Every method, HEAD and unknown ones too; for raw endpoints such as webhooks.
    case any = "*"

    /// Whether a request of this method may change something (RFC 9110, 9.2.1).
    package var isWrite: Bool { self != .get }
}
