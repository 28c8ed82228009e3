import Foundation
import Testing

@testable import Gateway

/// Two builds of one version are told apart.
@Suite struct BuildIdentityTests {
    private func number(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }

    private func note(_ type: Int, _ name: String, _ text: [UInt8]) -> [UInt8] {
        func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + Array(repeating: 0, count: (4 - bytes.count % 4) % 4) }
        let name: [UInt8] = Array(name.utf8) + [0]
        let sizes: [UInt8] = number(name.count, 4) + number(text.count, 4) + number(type, 4)
        return sizes + padded(name) + padded(text)
    }

    /// A program with two segments, of which the second has these notes.
    private func program(_ notes: [UInt8]) -> [UInt8] {
        func segment(_ type: Int, at place: Int, _ count: Int) -> [UInt8] {
            let start: [UInt8] = number(type, 4) + number(4, 4) + number(place, 8) + number(0, 16)
            return start + number(count, 8) + number(count, 8) + number(4, 8)
        }
        let sizes: [UInt8] = number(64, 8) + number(0, 14) + number(56, 2) + number(2, 2) + number(0, 6)
        let head: [UInt8] = Array("\u{7F}ELF\u{2}\u{1}\u{1}".utf8) + number(0, 25) + sizes
        return head + segment(1, at: 0, 64) + segment(4, at: 176, notes.count) + notes
    }

    private func read(_ bytes: [UInt8]) throws -> String? {
        let path = NSTemporaryDirectory() + "aias-build-" + UUID().uuidString
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return BuildIdentity.read(path)
    }

    @Test func `a build is known by the digest that its linker made of it`() throws {
        let (one, other): ([UInt8], [UInt8]) = (Array(1...20), Array(2...21))
        #expect(try read(program(note(1, "GNU", [9, 9, 9]) + note(3, "GNU", one))) == "010203040506")
        #expect(try read(program(note(3, "GNU", other))) == "020304050607")
    }

    @Test func `what has no such digest has no identity`() throws {
        let whole = program(note(3, "GNU", Array(1...20)))
        #expect(try read(program(note(3, "Go", Array(1...20)))) == nil)
        #expect(try read(program([])) == nil)
        #expect(try read(Array("#!/bin/sh\n".utf8)) == nil)
        for count in [0, 40, 64, 100, 176, whole.count - 1] { #expect(try read(Array(whole.prefix(count))) == nil) }
        #expect(BuildIdentity.read("/nowhere") == nil)
    }

    @Test func `what a process announces begins with its version`() {
        #expect(Platform.build.hasPrefix(Platform.version))
    }
}
