import HTTPSurface
import Kernel
import Testing

@testable import Gateway

/// What the environment says, and what of it makes no sense.
@Suite struct ConfigurationTests {
    @Test func `connections are as many as the setting says, within reason`() throws {
        func connections(_ setting: String?) throws -> Int {
            try PlatformConfiguration(environment: setting.map { ["AIAS_CONNECTIONS": $0] } ?? [:]).binding.connections
        }
        #expect(try connections(nil) == Limits.connections)
        #expect(try connections("") == Limits.connections)
        #expect(try connections("64") == 64)
        for wrong in ["0", "15", "1000001", "many", "-5"] {
            #expect(throws: Refusal.self) { _ = try connections(wrong) }
        }
    }
}
