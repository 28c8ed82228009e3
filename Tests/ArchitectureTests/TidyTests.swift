import Foundation
import Testing

@Suite struct TidyTests {
    let repository = Repository()

    /// Lines of a file above which it is two things.
    static let linesMaximum = 450

    @Test func `a source file stays readable in one sitting`() throws {
        for source in try repository.sources() {
            #expect(source.lines.count <= Self.linesMaximum, "\(source.path) has \(source.lines.count) lines")
        }
    }

    @Test func `DDL is emitted by the drivers and written nowhere else`() throws {
        let ddl = #/\b(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX|TRIGGER|POLICY|VIEW)\b/#
        // The converter's tables live in memory for the length of one query.
        for source in try repository.sources() where !source.path.hasPrefix("Sources/Persistence/") && source.module != "aias-files" {
            #expect(source.text.firstMatch(of: ddl) == nil, "\(source.path) writes DDL by hand")
        }
    }

    @Test func `SQL stands in stores`() throws {
        let statement = #/"(SELECT|INSERT INTO|UPDATE|DELETE FROM) [a-z_A-Z*(]/#
        for source in try repository.sources() where !["Persistence", "TestKit", "Jobs"].contains(source.module) {
            let isStore =
                source.text.contains("Store") || source.path.hasSuffix("Metering.swift")
                // The default of a person's own query, as n8n has it.
                || source.path.hasSuffix("Kinds/Flow/MergeParameters.swift")
            if !isStore { #expect(source.text.firstMatch(of: statement) == nil, "\(source.path) holds SQL outside a store") }
        }
    }

    @Test func `nothing is left to do later, and no stray print`() throws {
        // Written apart so that this file does not find itself.
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for source in try repository.sources() + repository.tests() {
            for mark in marks { #expect(!source.text.contains(mark), "\(source.path) holds \(mark)") }
        }
        for source in try repository.sources() where !["aias", "aias-sandbox", "aias-files"].contains(source.module) {
            let prints = source.lines.contains { $0.drop { $0 == " " }.hasPrefix("print(") }
            #expect(!prints, "\(source.path) prints")
        }
    }

    @Test func `no module is named for being useful`() throws {
        let words = ["Util", "Helper", "Manager", "Common", "Misc", "Base"]
        for source in try repository.sources() {
            let name = source.path.split(separator: "/").last?.dropLast(6) ?? ""
            #expect(!words.contains { name.hasSuffix($0) }, "\(source.path)")
        }
    }
}
