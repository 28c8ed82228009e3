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

    /// - Throws: `ProviderError.unavailable` where nothing can have been done, `ProviderError.unanswered` where that is not known.
    func call(_ method: String, _ path: String, _ headers: [(name: String, value: String)], body: [UInt8]? = nil) async throws -> Reply {
        let answer: OutboundResponse
        do {
            answer = try await send(
                OutboundRequest(
                    method: method, url: url + path, headers: headers, body: body.map { .bytes($0) } ?? .none, timeout: Self.timeout,
                    followRedirects: false, maximumResponseBytes: Self.answerBytes))
        } catch let error as OutboundError {
            throw Self.neverLeft.contains(error.code) ? ProviderError.unavailable(error.message) : ProviderError.unanswered(error.message)
        }
        guard answer.status != 429 else { throw ProviderError.unavailable("status 429") }
        guard Self.isAnswer(answer.status) else { throw ProviderError.unanswered("status \(answer.status)") }
        return Reply(status: answer.status, body: (try? JSON(parsing: answer.body)) ?? .null)
    }

    /// With these no connection was there that a request could have gone over.
    private static let neverLeft: Set<OutboundError.Code> = [
        .invalidURL, .invalidRequest, .forbiddenAddress, .unresolvable, .unreachable, .overloaded
    ]

    /// Whether it says that the order was done, or that it never will be: one that took too long, or is under way already (409), may be done still.
    private static func isAnswer(_ status: Int) -> Bool {
        (200..<300).contains(status) || ((400..<500).contains(status) && status != 408 && status != 409)
    }
}
