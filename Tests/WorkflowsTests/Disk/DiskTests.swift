import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct DiskTests {
    static func disk(_ harness: WorkflowHarness) -> Disk {
        Disk(database: harness.lease.database, blobs: harness.lease.blobs, policies: TenantPolicies.tenancy { _ in "UTC" })
    }

    /// A run that reads from the disk.
    static func reader(_ harness: WorkflowHarness, in tenant: TenantID? = nil) -> FileHolder {
        FileHolder(tenant: tenant ?? harness.lease.tenant, run: harness.lease.ids.next())
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do { try await body() } catch { return (error as? Refusal)?.code ?? (error as? StepFailure)?.code ?? "\(error)" }
        return nil
    }

    private func text(_ disk: Disk, _ file: DiskFile, _ me: Principal) async throws -> String {
        String(decoding: try await disk.open(file.id, by: me).1.collected(upTo: 1 << 20), as: UTF8.self)
    }

    /// What lies in the tenant's payload store, and what it counts.
    private func stored(_ harness: WorkflowHarness) async throws -> (payloads: Int, bytes: Int) {
        try await harness.lease.database.read(in: harness.lease.tenant) { tx in
            let store = StorageUse(tx: tx)
            let count: Int = try tx.first("SELECT count(*) FROM payloads WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? 0
            return (count, try store.bytes())
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `files are written, replaced, moved and deleted, and their bytes go with them`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let disk = Self.disk(harness)
            let me = harness.principal()
            let file = try await disk.put("./data/in/a.csv", Array("a,b".utf8), type: "text/plain", by: me)
            #expect(file.path.shown == "/data/in/a.csv" && file.mediaType == "text/csv" && file.byteCount == 3)
            #expect(try await text(disk, file, me) == "a,b")
            let again = try await disk.put("/data/in/a.csv", Array("other".utf8), type: nil, by: me)
            #expect(again.id == file.id && again.createdAt == file.createdAt)
            #expect(try await text(disk, again, me) == "other")
            #expect(try await stored(harness) == (1, 5))
            let large = [UInt8](repeating: 7, count: 100_000)
            let picture = try await disk.put("/data/picture", large, type: "image/png; x=1", by: me)
            #expect(picture.mediaType == "image/png")
            #expect(try await disk.open(picture.id, by: me).1.collected(upTo: 1 << 20) == large)
            #expect(try await disk.files(below: "", after: "", limit: 10, by: me).map(\.path.text) == ["data/in/a.csv", "data/picture"])
            #expect(try await disk.files(below: "/data/in", after: "", limit: 10, by: me).map(\.path.text) == ["data/in/a.csv"])
            _ = try await disk.put("/data/in-b/x", Array("x".utf8), type: nil, by: me)
            _ = try await disk.put("/data/in/c/y", Array("yy".utf8), type: nil, by: me)
            let shown = try await disk.folder("/data", after: "", limit: 10, by: me)
            #expect(shown.files.map(\.path.name) == ["picture"] && shown.diskFileCount == 4 && shown.diskByteCount == 100_008)
            #expect(Set(shown.children) == [.init(name: "in", fileCount: 2, byteCount: 7), .init(name: "in-b", fileCount: 1, byteCount: 1)])
            #expect(try await disk.folder("", after: "", limit: 10, by: me).children == [.init(name: "data", fileCount: 4, byteCount: 100_008)])
            let moved = try await disk.move(file.id, to: "/done/a.txt", by: me)
            #expect(moved.id == file.id && moved.mediaType == "text/plain")
            #expect(try await text(disk, moved, me) == "other")
            #expect(await code { _ = try await disk.move(file.id, to: "/data/picture", by: me) } == "name_taken")
            #expect(await code { _ = try await disk.put("/data/picture/x", [1], type: nil, by: me) } == "not_a_folder")
            #expect(await code { _ = try await disk.put("/data/in", [1], type: nil, by: me) } == "is_a_folder")
            #expect(await code { _ = try await disk.put("../x", [1], type: nil, by: me) } == "bad_path")
            let within = try await disk.move(file.id, to: "/done/a.txt/a", by: me)
            #expect(within.path.shown == "/done/a.txt/a", "it makes room for its own folder")
            for one in try await disk.files(below: "", after: "", limit: 10, by: me) { try await disk.delete(one.id, by: me) }
            #expect(try await stored(harness) == (0, 0), "nothing is left of them")
            #expect(await code { _ = try await disk.file(file.id, by: me) } == "not_found")
            let actions = try await harness.auditActions().filter { $0.hasPrefix("file.") }
            #expect(actions.prefix(3) == ["file.write", "file.write", "file.write"] && actions.contains("file.move") && actions.last == "file.delete")
        }
    }

    @Test func `the same bytes at two paths are stored once, and stay for the one that is left`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let disk = Self.disk(harness)
            let me = harness.principal()
            let first = try await disk.put("/a", Array("same".utf8), type: nil, by: me)
            let second = try await disk.put("/b", Array("same".utf8), type: nil, by: me)
            #expect(try await stored(harness) == (1, 4))
            try await disk.delete(first.id, by: me)
            #expect(try await text(disk, second, me) == "same")
        }
    }

    @Test func `a sweep of the blobs leaves what a file holds, and takes what none does any more`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let disk = Self.disk(harness)
            let me = harness.principal()
            let (kept, gone) = ([UInt8](repeating: 1, count: 50_000), [UInt8](repeating: 2, count: 50_000))
            let file = try await disk.put("/kept", kept, type: nil, by: me)
            let other = try await disk.put("/gone", gone, type: nil, by: me)
            let lease = harness.lease
            // Whatever their age.
            let sweep = { try await lease.blobs.sweep(lease.database, of: [lease.tenant], olderThan: .seconds(-60)) }
            // What lies there at one sweep is removed by the next.
            for _ in 0..<2 { #expect(try await sweep() == 0) }
            try await disk.delete(other.id, by: me)
            #expect(try await sweep() == 1)
            _ = try await disk.put("/kept", Array("small now".utf8), type: nil, by: me)
            #expect(try await sweep() == 1)
            #expect(try await text(disk, try await disk.file(file.id, by: me), me) == "small now")
        }
    }

    @Test func `what was read of a file that is deleted is given back once no run can come with it`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let disk = Self.disk(harness)
            let me = harness.principal()
            let file = try await disk.put("/a", Array("read".utf8), type: nil, by: me)
            _ = try await disk.file(at: file.path, for: Self.reader(harness))
            try await disk.delete(file.id, by: me)
            #expect(try await stored(harness) == (1, 4))
            harness.lease.clock.advance(by: .seconds(3 * 86_400))
            #expect(try await RunFileSweep(database: harness.lease.database).sweep(harness.lease.tenant) == 1)
            #expect(try await stored(harness) == (0, 0))
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `another tenant's files are not there, and who may only read writes nothing`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let disk = Self.disk(harness)
            let file = try await disk.put("/secret/a.txt", Array("mine".utf8), type: nil, by: harness.principal())
            let stranger = harness.principal(in: harness.lease.other)
            let reader = Self.reader(harness, in: harness.lease.other)
            #expect(await code { _ = try await disk.file(file.id, by: stranger) } == "not_found")
            #expect(await code { _ = try await disk.open(file.id, by: stranger) } == "not_found")
            #expect(await code { _ = try await disk.move(file.id, to: "/x", by: stranger) } == "not_found")
            #expect(await code { try await disk.delete(file.id, by: stranger) } == "not_found")
            #expect(try await disk.files(below: "", after: "", limit: 10, by: stranger).isEmpty)
            #expect(try await disk.select(DiskGlob("**"), for: reader).isEmpty)
            #expect(await code { _ = try await disk.file(at: try DiskPath("/secret/a.txt"), for: reader) } == "no_such_file")
            // Not even by the hash of its bytes.
            let stolen = DiskWrite(try DiskPath("/x"), file.reference, appends: false)
            let outcome = await code { try await disk.write([stolen], key: "k", tenant: harness.lease.other) { _ in BytePieces([]) } }
            #expect(outcome == "binary_gone")
            _ = try await disk.put("/secret/a.txt", Array("theirs".utf8), type: nil, by: stranger)
            #expect(try await text(disk, file, harness.principal()) == "mine")
            let viewer = harness.principal(.viewer)
            #expect(try await disk.files(below: "", after: "", limit: 10, by: viewer).count == 1)
            #expect(await code { _ = try await disk.put("/y", [], type: nil, by: viewer) } == "permission_denied")
            #expect(await code { try await disk.delete(file.id, by: viewer) } == "permission_denied")
        }
    }

    @Test func `over the plan's bytes nothing is written, until something is deleted`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let disk = Self.disk(harness)
            let me = harness.principal()
            try await harness.lease.database.write(in: harness.lease.tenant) { tx in try StorageUse(tx: tx).allow(10) }
            let file = try await disk.put("/a", Array("12345678".utf8), type: nil, by: me)
            #expect(await code { _ = try await disk.put("/b", Array("abcdefgh".utf8), type: nil, by: me) } == "limit_reached")
            #expect(try await disk.files(below: "", after: "", limit: 10, by: me).count == 1)
            try await disk.delete(file.id, by: me)
            _ = try await disk.put("/b", Array("abcdefgh".utf8), type: nil, by: me)
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres]) func `a repeated step writes and appends nothing twice`(engine: DatabaseEngine) async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let disk = Self.disk(harness)
            let me = harness.principal()
            let tenant = harness.lease.tenant
            func write(_ key: String, _ path: String, _ words: [String], appends: Bool = true) async throws {
                let writes = try words.map {
                    DiskWrite(try DiskPath(path), BinaryReference(id: "data:\($0)", mimeType: "text/plain", byteCount: 1), appends: appends)
                }
                try await disk.write(writes, key: key, tenant: tenant) { file in BytePieces(Array(file.id.dropFirst(5).utf8)) }
            }
            func content(_ path: String) async throws -> String {
                try await text(disk, try await disk.file(at: try DiskPath(path), for: Self.reader(harness)), me)
            }
            try await write("step-1", "/log", ["a", "b"])
            #expect(try await content("/log") == "ab")
            try await write("step-1", "/log", ["a", "b"])
            #expect(try await content("/log") == "ab", "the same step again")
            try await write("step-2", "/log", ["c"])
            try await write("step-1", "/log", ["a", "b"])
            #expect(try await content("/log") == "abc", "also once another has appended")
            try await write("step-1", "/log", ["d"])
            #expect(try await content("/log") == "abcd", "other bytes are another thing to append")
            try await write("step-3", "/log", ["x"], appends: false)
            let before = try await disk.file(at: try DiskPath("/log"), for: Self.reader(harness))
            harness.lease.clock.advance(by: .seconds(5))
            try await write("step-3", "/log", ["x"], appends: false)
            #expect(try await disk.file(at: try DiskPath("/log"), for: Self.reader(harness)) == before, "it is not even touched")
            #expect(before.mediaType == "text/plain")
        }
    }

    @Test func `many append to one file, and nothing is lost`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let disk = Self.disk(harness)
            let tenant = harness.lease.tenant
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        let file = BinaryReference(id: "data:\(number)", mimeType: "text/plain", byteCount: 1)
                        let write = DiskWrite(try DiskPath("/log"), file, appends: true)
                        try await disk.write([write], key: "step-\(number)", tenant: tenant) { _ in BytePieces([UInt8(ascii: "0") + UInt8(number)]) }
                    }
                }
                try await group.waitForAll()
            }
            let file = try await disk.file(at: try DiskPath("/log"), for: Self.reader(harness))
            #expect(try await Set(text(disk, file, harness.principal())) == Set("012345") && file.byteCount == 6)
        }
    }
}
