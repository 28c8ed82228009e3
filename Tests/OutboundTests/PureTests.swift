import Kernel
import Testing

@testable import Outbound

@Suite struct RetryAfterTests {
    private let now = Timestamp(seconds: 1_700_000_000)

    private func wait(_ text: String) -> Duration? {
        OutboundResponse(status: 503, headers: [("Retry-After", text)], url: "http://h/").retryAfter(now: now)
    }

    @Test func `Retry-After is read as seconds and as a date, and one that is over is no wait`() {
        #expect(wait("7") == .seconds(7))
        #expect(wait("Tue, 14 Nov 2023 22:14:50 GMT") == .seconds(90))
        #expect(wait("Tue, 14 Nov 2023 22:11:50 GMT") == .zero)
        #expect(wait("soon") == nil)
    }

    @Test(arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func `all three date forms of HTTP are read`(text: String) {
        #expect(HTTPDate.parse(text, now: now) == Timestamp(seconds: 784_111_777))
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
