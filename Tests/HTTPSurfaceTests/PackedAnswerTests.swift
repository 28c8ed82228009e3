import Kernel
import Synchronization
import Testing

@testable import HTTPSurface

/// Answers that are the same for everybody, packed for whoever takes it.
@Suite struct PackedAnswerTests {
    private static let long = Array(repeating: "the same for everybody", count: 200)

    private func harness() -> SurfaceHarness {
        SurfaceHarness([
            Endpoint(.get, "/v1/kinds", access: .public("A test."), summary: "Kinds", tag: "Test", returns: .ok([String].self)) { _ in Self.long }
                .packed(),
            Endpoint(.get, "/v1/little", access: .public("A test."), summary: "Little", tag: "Test", returns: .ok([String].self)) { _ in [] }.packed()
        ])
    }

    @Test func `an answer is packed only for whoever takes gzip, and says that it depends on it`() async throws {
        let plain = try await harness().call("GET", "/v1/kinds")
        #expect(try plain.json.array?.count == 200 && plain.header("Content-Encoding") == nil && plain.header("Vary") == "Accept-Encoding")
        let packed = try await harness().call("GET", "/v1/kinds", headers: ["Accept-Encoding": "gzip, br"])
        #expect(packed.status == 200 && packed.header("Content-Encoding") == "gzip" && packed.body.prefix(2) == [0x1F, 0x8B])
        #expect(packed.body.count < plain.body.count / 10)
        let refused = try await harness().call("GET", "/v1/kinds", headers: ["Accept-Encoding": "gzip;q=0"])
        #expect(refused.body == plain.body)
    }

    @Test func `what packing would make larger is sent as it is`() async throws {
        let little = try await harness().call("GET", "/v1/little", headers: ["Accept-Encoding": "gzip"])
        #expect(little.text == #"{"data":[]}"# || little.text == "[]")
        #expect(little.header("Content-Encoding") == nil)
    }

    @Test func `an answer is made and packed once for each path`() async throws {
        let made = Mutex<[String]>([])
        let endpoint = Endpoint(
            .get, "/v1/kinds/{kind}", access: .public("A test."), summary: "A kind", tag: "Test", returns: .ok([String].self)
        ) { call in
            let kind = try call.parameter("kind")
            guard kind != "none" else { throw Refusal.missing("kind") }
            made.withLock { $0.append(kind) }
            return Self.long + [kind]
        }.packed()
        let harness = SurfaceHarness([endpoint])
        let gzip = ["Accept-Encoding": "gzip"]
        let one = try await harness.call("GET", "/v1/kinds/one", headers: gzip)
        let again = try await harness.call("GET", "/v1/kinds/%6Fne", headers: gzip)
        let two = try await harness.call("GET", "/v1/kinds/two", headers: gzip)
        #expect(one.body == again.body && one.body != two.body)
        let plain = try await harness.call("GET", "/v1/kinds/one")
        #expect(plain.text.contains("\"one\"") && plain.header("Content-Encoding") == nil && plain.header("Vary") == "Accept-Encoding")
        for _ in 0..<2 { #expect(try await harness.call("GET", "/v1/kinds/none", headers: gzip).status == 404) }
        #expect(made.withLock { $0 } == ["one", "two"])
    }
}
