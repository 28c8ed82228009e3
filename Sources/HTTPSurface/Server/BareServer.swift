internal import Hummingbird
internal import HummingbirdCore

/// The framework alone: what the benchmarks divide by.
package enum BareServer {
    private struct Reply: Codable, ResponseEncodable {
        var ok = true
    }

    package static func run(port: Int) async throws {
        let router = Hummingbird.Router()
        router.post("/") { request, _ in
            _ = try await request.body.collect(upTo: 1 << 20)
            return Reply()
        }
        router.get("/") { _, _ in Reply() }
        try await Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port), backlog: 1_024)).runService()
    }
}
