import Kernel
import Testing

@testable import Billing

/// A followed link comes back with whatever its bearer makes of it.
@Suite struct ReferralCookieTests {
    @Test func `a link that was kept is read again`() throws {
        let set = ReferralCookie.set("ANA10", at: Timestamp(seconds: 1_767_225_600), isSecure: true)
        let value = try #require(set.split(separator: ";").first?.split(separator: "=").last)
        let read = try #require(ReferralCookie.read(String(value)))
        #expect(read.code == "ANA10" && read.at == Timestamp(seconds: 1_767_225_600))
    }

    @Test(arguments: ["ANA10.9223372036854775807", "ANA10.-9223372036854775808", "ANA10.253402300800", "ANA10.-1", "ANA10.soon", "ANA10", ""])
    func `a time that nobody has seen is none`(value: String) {
        let isRead = ReferralCookie.read(value) != nil
        #expect(!isRead)
    }
}
