import Testing

@testable import HTTPSurface

/// Who calls, where a proxy is in front.
@Suite struct ProxyTests {
    @Test(arguments: [
        ("9.9.9.9", ["1.1.1.1"], "9.9.9.9"), ("10.0.0.1", ["1.1.1.1"], "1.1.1.1"), ("10.0.0.1", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1, 10.0.0.2"], "1.1.1.1"), ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"), ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, "], "1.1.1.1"), ("10.0.0.1", ["nonsense"], "nonsense"), ("10.0.0.1", ["1.1.1.1:4711"], "1.1.1.1"),
        ("10.0.0.1", ["1.1.1.1, 10.0.0.2:80"], "1.1.1.1"), ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"), ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1")
    ])
    func `the client is the nearest address that is no proxy's`(peer: String, fields: [String], client: String) {
        #expect(Surface.client(behind: peer, fields) { $0.hasPrefix("10.") } == client)
    }
}
