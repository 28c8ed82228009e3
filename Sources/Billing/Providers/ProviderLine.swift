internal import Kernel
package import Outbound

/// How requests leave: by the deployment's own outbound.
package typealias ProviderSend = @Sendable (OutboundRequest) async throws -> OutboundResponse

/// The line to one provider: one place for time limits, sizes and which answers are worth another try.
struct ProviderLine: Sendable {
    let url: String
    let send: ProviderSend

    static let timeout: Duration = .seconds(30)
    static let answerBytes = 1 << 20

    struct Reply: Sendable {
        var status: Int
        var body: JSON
    }

    /// - Throws: `ProviderError.unavailable` where nothing came back, or it said to try again.
    func call(_ method: String, _ path: String, _ headers: [(name: String, value: String)], body: [UInt8]? = nil) async throws -> Reply {
        let answer: OutboundResponse
        do {
            answer = try await send(
                OutboundRequest(
                    method: method, url: url + path, headers: headers, body: body.map { .bytes($0) } ?? .none, timeout: Self.timeout,
                    followRedirects: false, maximumResponseBytes: Self.answerBytes))
        } catch let error as OutboundError { throw ProviderError.unavailable(error.message) }
        guard answer.status < 500, answer.status != 429, answer.status != 409 else { throw ProviderError.unavailable("status \(answer.status)") }
        return Reply(status: answer.status, body: (try? JSON(parsing: answer.body)) ?? .null)
    }
}
