import Testing

@testable import HTTPSurface

@Suite struct NameMatchTests {
    @Test func `a name is found by its words in any case and without accents`() {
        #expect(NameMatch("lead").rank(of: "Lead routing") == 0)
        #expect(NameMatch("ROUT").rank(of: "Lead routing") == 1)
        #expect(NameMatch("outing").rank(of: "Lead routing") == 2)
        #expect(NameMatch("resume").rank(of: "Résumé") == 0)
        #expect(NameMatch("ana acme").rank(of: "Ana", or: "ana@acme.example") == 0)
        #expect(NameMatch("lead x").rank(of: "Lead routing") == nil)
        #expect(NameMatch("  ").rank(of: "Anything") == 0 && NameMatch(" ").isEmpty)
    }
}
