import Jobs
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Files that steps write and hand on: each stays for the runs that name it, and no longer.
@Suite(.timeLimit(.minutes(4))) struct RunFileTests {
    private static let day: Duration = .seconds(86_400)
    private let writer = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_file"])

    private func withFiles(
        _ document: WorkflowDocument, on engine: DatabaseEngine = .sqlite, sub: WorkflowDocument? = nil, _ body: (EngineRig) async throws -> Void
    ) async throws {
        let (tables, migrations) = (RunTables.all + JobsModule.tables, JobsModule.migrations + RunTables.migrations)
        try await withDatabase(engine, tables: tables, migrations: migrations) { lease in
            var services = EngineServices.plain
            services.writeBinary = { bytes, type, name, holder in
                let payload = try await PreparedPayload(bytes, tenant: holder.tenant, blobs: lease.blobs)
                try await lease.database.write(in: holder.tenant) { tx in try RunFileStore(tx: tx).store(payload, for: holder.run) }
                return BinaryReference(id: payload.hash.hex, mimeType: type, fileName: name, byteCount: payload.byteCount)
            }
            let workflow: WorkflowID = lease.ids.next()
            try await body(try await EngineRig.make(lease, workflow: workflow, document: document, sub: sub, services: services))
        }
    }

    /// A run whose first step writes a text into a file.
    private func run(_ rig: EngineRig, _ document: WorkflowDocument, _ text: String) async throws -> RunID {
        let handle = try await rig.start(document, items: [Item(json: ["text": .string(text)])])
        try await rig.settle()
        #expect(try await rig.row(handle.run).status == .succeeded)
        return handle.run
    }

    private func hash(_ text: String) -> PayloadHash { PayloadHash(of: Array(text.utf8)) }

    private func reference(to text: String) -> BinaryReference {
        BinaryReference(id: hash(text).hex, mimeType: "text/plain", byteCount: text.utf8.count)
    }

    private func item(naming text: String) -> Item { Item(json: [:], binary: ["file": reference(to: text)]) }

    private func isThere(_ rig: EngineRig, _ text: String, in tenant: TenantID? = nil) async throws -> Bool {
        let hash = hash(text)
        return try await rig.lease.database.read(in: tenant ?? rig.lease.tenant) { tx in try PayloadStore(tx: tx).find(hash) != nil }
    }

    private func storedBytes(_ rig: EngineRig) async throws -> Int {
        try await rig.lease.database.read(in: rig.lease.tenant) { tx in try StorageUse(tx: tx).bytes() }
    }

    /// How many files are held, and by how many ids.
    private func held(_ rig: EngineRig) async throws -> (files: Int, holders: Int) {
        try await rig.lease.database.read(in: rig.lease.tenant) { tx in
            let row = try tx.first("SELECT count(DISTINCT hash), count(DISTINCT run_id) FROM run_files WHERE tenant_id = \(tx.tenant)")
            return (try row?.column(0) ?? 0, try row?.column(1) ?? 0)
        }
    }

    private func remove(_ rig: EngineRig, _ run: RunID) async throws {
        try await rig.lease.database.write(in: rig.lease.tenant) { tx in try RunStore(tx: tx).remove(run) }
    }

    /// - Parameter run: nil is one that never comes.
    private func store(_ rig: EngineRig, _ text: String, for run: RunID? = nil, in tenant: TenantID? = nil) async throws {
        let (payload, holder): (PreparedPayload, RunID) = (PreparedPayload(Array(text.utf8)), run ?? rig.lease.ids.next())
        try await rig.lease.database.write(in: tenant ?? rig.lease.tenant) { tx in try RunFileStore(tx: tx).store(payload, for: holder) }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `what a run wrote is given back with it, unless another wrote the same`(engine: DatabaseEngine) async throws {
        try await withFiles(writer, on: engine) { rig in
            try await store(rig, "hello", in: rig.lease.other)
            let runs = [try await run(rig, writer, "hello"), try await run(rig, writer, "hello")]
            #expect(try await storedBytes(rig) == 5)
            try await remove(rig, runs[0])
            #expect(try await isThere(rig, "hello"))
            rig.lease.clock.advance(by: Self.day * 3)
            let retention = RunRetention(database: rig.lease.database, succeeded: Self.day, failed: Self.day)
            #expect(try await retention.prune(rig.lease.tenant) == 1)
            #expect(try await !isThere(rig, "hello"))
            #expect(try await storedBytes(rig) == 0)
            #expect(try await held(rig) == (0, 0))
            #expect(try await isThere(rig, "hello", in: rig.lease.other), "another tenant's own")
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `a copy of a run keeps its files when the run goes`(engine: DatabaseEngine) async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_file", "b": "probe_pure"])
        try await withFiles(document, on: engine) { rig in
            let first = try await run(rig, document, "kept")
            let copy = try await rig.engine.replay(first, tenant: rig.lease.tenant, from: ReplayPoint(node: "b"))
            #expect(await copy.finished().status == .succeeded)
            try await remove(rig, first)
            #expect(try await isThere(rig, "kept"))
            try await remove(rig, copy.run)
            #expect(try await !isThere(rig, "kept"))
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `the file that a called run gives is its caller's too`(engine: DatabaseEngine) async throws {
        let document = Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_call", "b": "no_op"])
        try await withFiles(document, on: engine, sub: writer) { rig in
            let caller = try await run(rig, document, "given")
            let called = try await rig.lease.database.read(in: rig.lease.tenant) { tx in try RunStore(tx: tx).returned(to: caller).map(\.id) }
            #expect(called.count == 1)
            for run in called { try await remove(rig, run) }
            #expect(try await isThere(rig, "given"))
            try await remove(rig, caller)
            #expect(try await !isThere(rig, "given"))
        }
    }

    @Test func `a called run holds what it is called with`() async throws {
        let document = Graph(.n8nV1, ["t -> f", "f -> a"]).document(["f": "probe_file", "a": "probe_call"])
        try await withFiles(document, sub: Graph(.n8nV1, ["t -> s"]).document(["s": "no_op"])) { rig in
            let caller = try await run(rig, document, "passed")
            let called = try await rig.lease.database.read(in: rig.lease.tenant) { tx in try RunStore(tx: tx).returned(to: caller).map(\.id) }
            try await remove(rig, caller)
            #expect(try await isThere(rig, "passed"))
            for run in called { try await remove(rig, run) }
            #expect(try await !isThere(rig, "passed"))
        }
    }

    /// As an expression gives it, and a Code node attaches it again.
    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `the bare id of a file is enough where a run calls another, and where that one returns`(engine: DatabaseEngine) async throws {
        let bare = Graph(.n8nV1, ["t -> f", "f -> n"]).document(["f": "probe_file", "n": "probe_bare"])
        let caller = Graph(.n8nV1, ["t -> f", "f -> n", "n -> a", "a -> b"])
            .document(["f": "probe_file", "n": "probe_bare", "a": "probe_call", "b": "no_op"])
        for isCalled in [true, false] {
            let document = isCalled ? caller : Graph(.n8nV1, ["t -> a", "a -> b"]).document(["a": "probe_call", "b": "no_op"])
            try await withFiles(document, on: engine, sub: isCalled ? Graph(.n8nV1, ["t -> s"]).document(["s": "no_op"]) : bare) { rig in
                let run = try await run(rig, document, "bare")
                let called = try await rig.lease.database.read(in: rig.lease.tenant) { tx in try RunStore(tx: tx).returned(to: run).map(\.id) }
                #expect(called.count == 1)
                // What each of them had the file from goes first.
                for id in isCalled ? [run] : called { try await remove(rig, id) }
                #expect(try await isThere(rig, "bare"))
                for id in isCalled ? called : [run] { try await remove(rig, id) }
                #expect(try await !isThere(rig, "bare"))
            }
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `a file of another run that never came stays for the one that has it, and goes where none has`(engine: DatabaseEngine) async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "no_op"])
        try await withFiles(document, on: engine) { rig in
            for text in ["taken", "left"] { try await store(rig, text) }
            let run = try await rig.start(document, items: [item(naming: "taken")]).finished().run
            let sweep = RunFileSweep(database: rig.lease.database)
            rig.lease.clock.advance(by: Self.day)
            #expect(try await sweep.sweep(rig.lease.tenant) == 0)
            #expect(try await isThere(rig, "left"))
            rig.lease.clock.advance(by: Self.day * 2)
            #expect(try await sweep.sweep(rig.lease.tenant) == 2)
            #expect(try await isThere(rig, "taken"))
            #expect(try await !isThere(rig, "left"))
            #expect(try await held(rig) == (1, 1))
            try await remove(rig, run)
            #expect(try await !isThere(rig, "taken"))
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `a file that comes before its run is given back with it`(engine: DatabaseEngine) async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "no_op"])
        try await withFiles(document, on: engine) { rig in
            let id: RunID = rig.lease.ids.next()
            // Stored again after a crash.
            for _ in 0..<2 { try await store(rig, "upload", for: id) }
            let start = RunStart(
                tenant: rig.lease.tenant, workflow: rig.workflow, version: 1, document: document, trigger: "t",
                items: ItemList([item(naming: "upload")]), mode: "webhook", id: id)
            #expect(try await rig.engine.start(start).finished().run == id)
            #expect(try await storedBytes(rig) == 6)
            #expect(try await held(rig) == (1, 1))
            try await remove(rig, id)
            #expect(try await storedBytes(rig) == 0)
        }
    }

    @Test func `what a run that is gone still wrote is swept`() async throws {
        try await withFiles(writer) { rig in
            let gone = try await run(rig, writer, "first")
            try await remove(rig, gone)
            try await store(rig, "late", for: gone)
            rig.lease.clock.advance(by: Self.day * 3)
            #expect(try await RunFileSweep(database: rig.lease.database).sweep(rig.lease.tenant) == 1)
            #expect(try await storedBytes(rig) == 0)
        }
    }

    @Test func `a file that a waiting step is answered with is its run's`() async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_wait"])
        try await withFiles(document) { rig in
            let handle = try await rig.start(document)
            try await rig.settle()
            try await store(rig, "answer")
            let items = ItemList([item(naming: "answer")])
            let answered = try await rig.engine.answer(handle.run, tenant: rig.lease.tenant, with: items) { $0.active.keys.first }
            #expect(answered != nil)
            try await rig.settle()
            rig.lease.clock.advance(by: Self.day * 3)
            _ = try await RunFileSweep(database: rig.lease.database).sweep(rig.lease.tenant)
            #expect(try await isThere(rig, "answer"))
            try await remove(rig, handle.run)
            #expect(try await !isThere(rig, "answer"))
        }
    }

    @Test func `what static data names stays without its run`() async throws {
        try await withFiles(writer) { rig in
            let run = try await run(rig, writer, "remembered")
            let (name, workflow) = (hash("remembered").hex, rig.workflow)
            try await rig.lease.database.write(in: rig.lease.tenant) { tx in
                try JournalStore(tx: tx).keep(["list": .string("1,\(name),2")], of: "", workflow: workflow)
            }
            try await remove(rig, run)
            #expect(try await isThere(rig, "remembered"))
        }
    }

    @Test func `beside an older program, which does not know who holds what, files stay`() async throws {
        try await withFiles(writer) { rig in
            try await rig.lease.database.writeSystem { tx in _ = try tx.execute("UPDATE workers SET format = 0") }
            let beside = try await run(rig, writer, "beside")
            try await rig.lease.database.writeSystem { tx in _ = try tx.execute("UPDATE workers SET format = 1") }
            let after = try await run(rig, writer, "after")
            for run in [beside, after] { try await remove(rig, run) }
            #expect(try await isThere(rig, "beside"))
            #expect(try await !isThere(rig, "after"))
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `a digest holds no file, and a reference that was copied into an item's JSON does`(engine: DatabaseEngine) async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "no_op"])
        try await withFiles(document, on: engine) { rig in
            for text in ["digest", "copied"] { try await store(rig, text) }
            let json: JSONObject = ["data": .string(hash("digest").hex), "copy": reference(to: "copied").shown]
            let run = try await rig.start(document, items: [Item(json: json)]).finished().run
            rig.lease.clock.advance(by: Self.day * 3)
            #expect(try await RunFileSweep(database: rig.lease.database).sweep(rig.lease.tenant) == 2)
            #expect(try await isThere(rig, "copied"))
            #expect(try await !isThere(rig, "digest"))
            #expect(try await held(rig) == (1, 1))
            try await remove(rig, run)
            #expect(try await !isThere(rig, "copied"))
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `of many names those of no file are left out, and the others are held by a run and by what it calls`(engine: DatabaseEngine) async throws {
        let document = Graph(.n8nV1, ["t -> a"]).document(["a": "probe_call"])
        try await withFiles(document, on: engine, sub: Graph(.n8nV1, ["t -> s"]).document(["s": "no_op"])) { rig in
            let real = (0..<150).map { "file \($0)" }
            for text in real { try await store(rig, text) }
            var given = item(naming: "none")
            for text in real + (0..<300).map({ "made up \($0)" }) { given.binary[text] = reference(to: text) }
            let wanted = Set(real.map { hash($0) })
            let names = ItemList([given]).files
            #expect(names.count == 451)
            let known = try await rig.lease.database.read(in: rig.lease.tenant) { tx in try RunFileStore(tx: tx).known(names) }
            #expect(known == wanted)
            let caller = try await rig.start(document, items: [given]).run
            try await rig.settle()
            let called = try await rig.lease.database.read(in: rig.lease.tenant) { tx in try RunStore(tx: tx).returned(to: caller).map(\.id) }
            #expect(called.count == 1)
            for run in [caller] + called {
                let held = try await rig.lease.database.write(in: rig.lease.tenant) { tx in try RunFileStore(tx: tx).forget(run) }
                #expect(held == wanted)
            }
        }
    }

    @Test func `references are found wherever they stand, and other digests are none`() {
        let name = hash("x").hex
        func references(_ text: String) -> Set<PayloadHash> {
            var found: Set<PayloadHash> = []
            FileNames.references(in: Array(text.utf8), &found)
            return found
        }
        let written = reference(to: "x").json.serialized
        for count in 0..<130 {
            #expect(references(String(repeating: "-", count: count) + written + String(repeating: "e", count: count)) == [hash("x")])
            #expect(FileNames.all(in: Array((String(repeating: "-", count: count) + name).utf8)) == [hash("x")])
        }
        let both: [Item] = [Item(json: ["data": .string(name)]), item(naming: "y"), item(naming: "z")]
        #expect(ItemList(both).files == [hash("y"), hash("z")])
        #expect(references(JSON.array(both.map(\.stored)).serialized) == [hash("y"), hash("z")], "a node's state")
        #expect(references(WebhookAnswer(body: .binary(reference(to: "x"))).journaled.serialized) == [hash("x")])
        let inText = JSON.string(written).serialized
        #expect(references(inText) == [hash("x")], "a text within the text")
        #expect(references(JSON.string(inText).serialized) == [hash("x")])
        let others: [String] = [
            #""\#(name)""#, #"{"id":"\#(name)"}"#, #"{"id":"\#(name)","size":1}"#, #"{"uuid":"\#(name)","mimeType":"a/b"}"#,
            #""id":" \#(name)","mimeType":"#, #""id":"\#(name)0","mimeType":"#, #""id":"\#(name)","mime"#, #"d":"\#(name)","mimeType":"#
        ]
        for other in others { #expect(references(other).isEmpty, "\(other)") }
        #expect(FileNames.all(in: Array(name.utf8.dropLast())).isEmpty)
        #expect(FileNames.all(in: Array("sha256=\(name), and more".utf8)) == [hash("x")])
        #expect(FileNames.all(in: Array(String(repeating: "a", count: 10_000).utf8)).isEmpty)
    }
}
