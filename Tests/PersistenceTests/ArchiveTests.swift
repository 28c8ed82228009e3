import Foundation
import Kernel
import Testing

@testable import Persistence

@Suite struct ArchiveTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "archive-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) } }

    @Test func `what was archived comes back byte for byte, with names longer than a header's field`() throws {
        try inFolder { folder in
            let long = "blobs/01a20ec6-6476-7000-89d3-aab8cd67c72b/" + String(repeating: "ab", count: 32)
            let contents: [(String, [UInt8])] = [("empty", []), ("one", [7]), ("block", bytes(512)), ("odd", bytes(1_200_001)), (long, bytes(100))]
            try Data(contents[3].1).write(to: URL(filePath: folder + "/odd"))
            let writer = try ArchiveWriter(path: folder + "/a.tar.zst", seconds: 1_767_225_600)
            var written: [ArchiveEntry] = []
            for (name, content) in contents {
                written.append(name == "odd" ? try writer.add(name, file: folder + "/odd") : try writer.add(name, bytes: content))
            }
            try writer.finish()
            var read: [String: [UInt8]] = [:]
            let found = try ArchiveReader(path: folder + "/a.tar.zst").readAll { name, size in
                read[name] = []
                return { read[name]? += $0 }
            }
            #expect(found == written)
            for (name, content) in contents { #expect(read[name] == content, "\(name)") }
            #expect(written[0].digest == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        }
    }

    @Test func `an archive that was changed or cut off anywhere is refused`() throws {
        try inFolder { folder in
            let path = folder + "/a.tar.zst"
            let writer = try ArchiveWriter(path: path, seconds: 0)
            let entry = try writer.add("data", bytes: bytes(50_000))
            try writer.finish()
            let whole = try Data(contentsOf: URL(filePath: path))
            func isRead(_ data: Data) throws -> Bool {
                try data.write(to: URL(filePath: folder + "/b"))
                do {
                    return try ArchiveReader(path: folder + "/b").readAll { _, _ in nil } == [entry]
                } catch is PersistenceError {
                    return false
                }
            }
            #expect(try isRead(whole))
            for place in stride(from: 0, to: whole.count, by: max(1, whole.count / 40)) {
                var flipped = whole
                flipped[place] ^= 0x10
                // A bit that means nothing may change; what was archived may not.
                if try isRead(flipped) { #expect(place < 16, "a flip at \(place) went unseen") }
                #expect(try !isRead(whole.prefix(place)))
            }
        }
    }

    @Test func `an archive is never written over, and a name that does not fit is refused`() throws {
        try inFolder { folder in
            let path = folder + "/a.tar.zst"
            let writer = try ArchiveWriter(path: path, seconds: 0)
            #expect(throws: PersistenceError.self) { try ArchiveWriter(path: path, seconds: 0) }
            #expect(throws: PersistenceError.self) { try writer.add(String(repeating: "x", count: 101), bytes: []) }
        }
    }

    @Test func `sizes beyond what octal digits hold are written in binary`() throws {
        let header = try ArchiveWriter.header("large", 1 << 40, 0)
        #expect(header[124] == 0x80 && header[130] == 1 && header[131..<136].allSatisfy { $0 == 0 })
    }
}
