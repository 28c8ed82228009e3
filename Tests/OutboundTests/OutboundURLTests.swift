import Testing

@testable import Outbound

@Suite struct OutboundURLTests {
    @Test(arguments: [
        ("http://Example.COM", "http://example.com/"),
        ("https://example.com:443/a b?q=ä#top", "https://example.com/a%20b?q=%C3%A4"),
        ("http://example.com:8080?x=1", "http://example.com:8080/?x=1"),
        ("http://[2001:DB8:0::1]:81/x", "http://[2001:db8::1]:81/x"),
        ("https://example.com/100%/%41?a={b}|c", "https://example.com/100%25/%41?a=%7Bb%7D%7Cc"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("  https://example.com/line\nbreak ", "https://example.com/line%0Abreak"),
        ("http://example.com\\@127.0.0.1/", "http://example.com/%5C@127.0.0.1/")
    ])
    func `a URL is read and written in one form`(written: String, expected: String) throws {
        #expect(try OutboundURL(written).text == expected)
    }

    @Test(arguments: [
        "ftp://example.com", "example.com", "http://", "http://:80", "http://a:0/", "http://a:99999/", "http://a:8o/", "http://[::1",
        "http://[1.2.3.4]/",
        "http://a b/", "http://a%00b/", "http://ex%2Fample.com/", "file:///etc/passwd", "http+unix://x/"
    ])
    func `what is no http URL is refused`(text: String) {
        #expect { try OutboundURL(text) } throws: { ($0 as? OutboundError)?.code == .invalidURL }
    }

    @Test(arguments: [
        ("/x", "http://h/x"), ("x", "http://h/a/x"), ("../x", "http://h/x"), ("./", "http://h/a/"), ("?q", "http://h/a/b?q"),
        ("//other/y", "http://other/y"), ("https://s/z", "https://s/z"), ("../../../x/./y/..", "http://h/x/"), ("#f", "http://h/a/b?c=1")
    ])
    func `a reference is resolved as RFC 3986 says`(reference: String, expected: String) throws {
        #expect(try OutboundURL("http://h/a/b?c=1").resolving(reference).text == expected)
    }

    @Test func `user and password are taken out of the URL`() throws {
        let url = try OutboundURL("https://ana:p%40ss@example.com/")
        #expect(url.userInfo?.user == "ana")
        #expect(url.userInfo?.password == "p@ss")
        #expect(url.text == "https://example.com/")
    }

    @Test func `parameters are appended before the fragment, or replace those of the same name`() {
        let parameters = QueryParameters([.init("page", "2"), .init("q", "a&b c")])
        #expect(parameters.appended(to: "http://h/x#f") == "http://h/x?page=2&q=a%26b%20c#f")
        #expect(parameters.appended(to: "http://h/x?k=v") == "http://h/x?k=v&page=2&q=a%26b%20c")
        #expect(parameters.merged(into: "http://h/x?page=1&k=v&page=9") == "http://h/x?page=2&k=v&q=a%26b%20c")
    }
}
