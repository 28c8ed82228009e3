import Kernel
import Testing

@testable import Outbound

@Suite struct RetryTests {
    private let now = Timestamp(seconds: 1_700_000_000)

    private func delay(
        _ outcome: RetryPolicy.Outcome, attempt: Int = 1, repeatable: Bool = true, policy: RetryPolicy = .init(), jitter: Double = 1
    ) -> Duration? {
        policy.delay(afterAttempt: attempt, outcome: outcome, isRepeatable: repeatable, now: now, jitter: jitter)
    }

    private func answer(_ status: Int, retryAfter: String? = nil) -> RetryPolicy.Outcome {
        .response(OutboundResponse(status: status, headers: retryAfter.map { [("Retry-After", $0)] } ?? [], url: "http://h/"))
    }

    @Test func `the wait doubles up to its limit and ends with the attempts`() {
        let policy = RetryPolicy(attempts: 5, firstDelay: .seconds(1), maximumDelay: .seconds(3))
        #expect((1...5).map { delay(answer(500), attempt: $0, policy: policy) } == [.seconds(1), .seconds(2), .seconds(3), .seconds(3), nil])
        #expect(delay(answer(500), attempt: 2, policy: policy, jitter: 0.25) == .milliseconds(500))
        #expect(delay(answer(500), policy: .never) == nil)
    }

    @Test func `only passing faults are tried again`() {
        #expect([200, 201, 301, 400, 401, 404, 409, 501].allSatisfy { delay(answer($0)) == nil })
        #expect([408, 425, 429, 500, 502, 503, 504].allSatisfy { delay(answer($0)) != nil })
        let failures: [(OutboundError.Code, Bool)] = [
            (.unreachable, true), (.unresolvable, true), (.overloaded, true), (.timeout, true), (.closed, true), (.invalidURL, false),
            (.forbiddenAddress, false), (.tls, false), (.responseTooLarge, false), (.tooManyRedirects, false)
        ]
        for (code, isRetried) in failures { #expect((delay(.failure(.init(code, ""))) != nil) == isRetried, "\(code)") }
    }

    @Test func `what may have been done is not repeated without a key`() {
        #expect(delay(answer(500), repeatable: false) == nil)
        #expect(delay(.failure(.init(.timeout, "")), repeatable: false) == nil)
        #expect(delay(.failure(.init(.unreachable, "")), repeatable: false) != nil)
        #expect(delay(answer(429), repeatable: false) != nil)
    }

    @Test func `Retry-After is honoured as seconds and as a date, unless it asks too much`() {
        #expect(delay(answer(429, retryAfter: "7"), jitter: 0) == .seconds(7))
        #expect(delay(answer(503, retryAfter: HTTPDate.format(now + .seconds(90)))) == .seconds(90))
        #expect(delay(answer(503, retryAfter: HTTPDate.format(now - .seconds(90)))) == .zero)
        #expect(delay(answer(503, retryAfter: "301")) == nil)
        #expect(delay(answer(503, retryAfter: "soon")) == .milliseconds(500))
    }

    @Test(arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func `all three date forms of HTTP are read`(text: String) {
        #expect(HTTPDate.parse(text, now: now) == Timestamp(seconds: 784_111_777))
        #expect(HTTPDate.format(Timestamp(seconds: 784_111_777)) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test func `retries stay a fraction of the requests`() {
        let budget = RetryBudget(ratio: 0.5, reserve: 1)
        #expect(budget.takeRetry())
        #expect(!budget.takeRetry())
        for _ in 0..<2 { budget.recordRequest() }
        #expect(budget.takeRetry())
        #expect(!budget.takeRetry())
    }
}

@Suite struct BodyTests {
    @Test func `a form is encoded as browsers do`() {
        let body = RequestBody.form([("a b", "1&2=3"), ("ä", "*-._~")])
        #expect(String(decoding: body.bytes, as: UTF8.self) == "a+b=1%262%3D3&%C3%A4=*-._%7E")
        #expect(body.contentType == "application/x-www-form-urlencoded")
    }

    @Test func `a multipart body holds fields and files, and no name can break out`() {
        let body = MultipartBody([
            .field("title", "Ünï"), .file("file", fileName: "a\"\r\nb.txt", contentType: "text/plain", bytes: [0, 13, 10, 255])
        ]).encoded(boundary: "XX")
        #expect(body.contentType == "multipart/form-data; boundary=XX")
        let expected =
            Array("--XX\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nÜnï\r\n".utf8)
            + Array("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22%0D%0Ab.txt\"\r\nContent-Type: text/plain\r\n\r\n".utf8)
            + [0, 13, 10, 255] + Array("\r\n--XX--\r\n".utf8)
        #expect(body.bytes == expected)
    }

    @Test func `the next page is found in Link headers`() throws {
        let links = LinkHeader([#"<https://h/?page=1>; rel=prev, <?page=3>; title="a, \"b\"; c"; rel="last next""#, #"<broken"#])
        #expect(links.target("next") == "?page=3")
        #expect(links.target("prev") == "https://h/?page=1")
        #expect(links.target("first") == nil)
        #expect(links.links.last?.parameters["title"] == #"a, "b"; c"#)
        let response = OutboundResponse(status: 200, headers: [("link", #"</items?page=3>; rel="next""#)], url: "https://h/items?page=2")
        #expect(try response.linkedPage() == "https://h/items?page=3")
    }

    @Test func `credentials become what the service expects`() {
        var request = OutboundRequest(url: "http://h/?key=old", headers: [("authorization", "x")])
        request.authenticate(user: "Aladdin", password: "open sesame")
        #expect(request.headers.map(\.value) == ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="])
        request.authenticate(query: "key", value: "a b")
        #expect(request.url == "http://h/?key=a%20b")
    }
}

@Suite struct StreamBytesTests {
    @Test func `what a server sends unasked is kept up to a bound`() async throws {
        let bytes = StreamBytes()
        let piece = [UInt8](repeating: 7, count: StreamBytes.maximum / 2 + 1)
        #expect(bytes.append(piece))
        #expect(!bytes.append(piece))
        #expect(!bytes.append([1]))
        #expect(try await bytes.next() == piece)
        await #expect(throws: OutboundError.self) { try await bytes.next() }
    }
}
