import Jobs
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct DiskNodeTests {
    private func code(_ body: () async throws -> Void) async -> String? {
        do { try await body() } catch { return (error as? StepFailure)?.code ?? (error as? Refusal)?.code ?? "\(error)" }
        return nil
    }

    private func harness(_ rig: WorkflowHarness) -> KindsHarness {
        var harness = KindsHarness()
        harness.tenant = rig.lease.tenant
        harness.facilities.disk = DiskTests.disk(rig)
        return harness
    }

    private func attached(_ harness: KindsHarness, _ text: String, json: JSONObject = [:]) -> Item {
        let file = BinaryReference(id: harness.files.write(Array(text.utf8)), mimeType: "text/plain", fileName: "x.txt", byteCount: text.utf8.count)
        return Item(json: json, binary: ["data": file])
    }

    @Test func `a node writes files and reads them by a pattern, as n8n's does`() async throws {
        try await WorkflowHarness.run(.sqlite) { rig in
            let harness = harness(rig)
            func node(_ config: JSONObject, _ given: [Item] = items([:]), version: Double = 1.1, onError: WorkflowNode.OnError = .stop) async throws
                -> [Item]
            {
                try await harness.items(.make("read_write_file", version, config, onError: onError), inputs: [given])[0]
            }
            let given = [attached(harness, "one", json: ["n": 1]), attached(harness, "two!", json: ["n": 2])]
            let written = try await node(["operation": "write", "fileName": "=/data/{{ $json.n }}.csv"], given)
            #expect(written.map { JSON.object($0.json) } == [["n": 1, "fileName": "/data/1.csv"], ["n": 2, "fileName": "/data/2.csv"]])
            #expect(written[0].binary["data"] == given[0].binary["data"])
            let read = try await node(["fileSelector": "/data/*.csv"])
            #expect(
                read.map { JSON.object($0.json) } == [
                    ["mimeType": "text/csv", "fileType": "text", "fileName": "1.csv", "fileExtension": "csv", "fileSize": "3 B"],
                    ["mimeType": "text/csv", "fileType": "text", "fileName": "2.csv", "fileExtension": "csv", "fileSize": "4 B"]
                ])
            let file = try #require(read[0].binary["data"])
            #expect(file.fileName == "1.csv" && file.mimeType == "text/csv" && file.byteCount == 3 && PayloadHash(hex: file.id) != nil)
            let named = try await node([
                "fileSelector": "./data/1.csv", "options": ["dataPropertyName": "f", "fileName": "z.bin", "mimeType": "x/y", "fileExtension": "bin"]
            ])
            #expect(named[0].binary["f"]?.fileName == "z.bin" && named[0].binary["f"]?.mimeType == "x/y" && named[0].json["fileName"] == "z.bin")
            _ = try await node(["operation": "write", "fileName": "data/1.csv", "options": ["append": true]], [attached(harness, "+")])
            #expect(try await node(["fileSelector": "/data/1.csv"])[0].json["fileSize"] == "4 B")
            #expect(await code { _ = try await node(["fileSelector": "/none/*"]) } == "no_such_file")
            #expect(try await node(["fileSelector": "/none/*"], version: 1).isEmpty)
            #expect(await code { _ = try await node(["fileSelector": "../../etc/*"]) } == "bad_path")
            #expect(await code { _ = try await node(["operation": "write", "fileName": "/etc/../../x"], [attached(harness, "x")]) } == "bad_path")
            #expect(await code { _ = try await node(["operation": "write", "fileName": "/x"]) } == "no_binary")
            let mixed = try await node(
                ["operation": "write", "fileName": "=/mixed/{{ $json.n }}"],
                [attached(harness, "x", json: ["n": "../../.."]), attached(harness, "y", json: ["n": 2])], onError: .continueRegular)
            #expect(mixed[0].error != nil && mixed[1].json["fileName"] == "/mixed/2")
            #expect(try await node(["fileSelector": "/mixed/**"]).count == 1)
        }
    }

    @Test func `n8n's older nodes for files do the same`() async throws {
        try await WorkflowHarness.run(.sqlite) { rig in
            let harness = harness(rig)
            func node(_ kind: String, _ config: JSONObject, _ given: [Item] = items([:])) async throws -> [Item] {
                try await harness.items(.make(kind, 1, config), inputs: [given])[0]
            }
            let written = try await node("write_binary_file", ["fileName": "/in/a.json"], [attached(harness, "{}", json: ["k": 1])])
            #expect(written.map { JSON.object($0.json) } == [["k": 1, "fileName": "/in/a.json"]])
            let one = try await node("read_binary_file", ["filePath": "/in/a.json", "dataPropertyName": "f"], items(["k": 2]))
            #expect(one[0].json == ["k": 2] && one[0].binary["f"]?.mimeType == "application/json")
            #expect(await code { _ = try await node("read_binary_file", ["filePath": "/in/b.json"]) } == "no_such_file")
            let all = try await node("read_binary_files", ["fileSelector": "/in/*"], items(["k": 1], ["k": 2]))
            #expect(all.count == 1 && all[0].json == [:] && all[0].binary["data"]?.fileName == "a.json")
            var alone = harness
            alone.facilities.disk = nil
            let without = alone
            let outcome = await code { _ = try await without.items(.make("read_binary_files", 1, ["fileSelector": "*"]), inputs: [items([:])]) }
            #expect(outcome == "no_disk")
        }
    }

    @Test func `a trigger started by hand gives the newest file`() async throws {
        try await WorkflowHarness.run(.sqlite) { rig in
            let harness = harness(rig)
            let disk = DiskTests.disk(rig)
            func start(_ config: JSONObject) async throws -> [JSON] {
                try await harness.node(.make(LocalFileTrigger.kind, 1, config), inputs: [[]])[0]
            }
            let folder: JSONObject = ["triggerOn": "folder", "path": "/in", "events": ["add"]]
            #expect(try await start(folder).isEmpty)
            _ = try await disk.put("/in/z", [1], type: nil, by: rig.principal())
            rig.lease.clock.advance(by: .seconds(1))
            _ = try await disk.put("/in/a/b", [1], type: nil, by: rig.principal())
            #expect(try await start(folder) == [["event": "add", "path": "/in/a/b"]])
            #expect(try await start(["triggerOn": "file", "path": "/in/z"]) == [["event": "change", "path": "/in/z"]])
        }
    }

    @Test func `what a run has read stays for it when the file is changed`() async throws {
        try await WorkflowHarness.run(.sqlite) { rig in
            let disk = DiskTests.disk(rig)
            let me = rig.principal()
            let file = try await disk.put("/a.txt", Array("before".utf8), type: nil, by: me)
            let read = try await disk.select(DiskGlob("/*.txt"), for: DiskTests.reader(rig))[0]
            _ = try await disk.put("/a.txt", Array("after".utf8), type: nil, by: me)
            try await disk.delete(file.id, by: me)
            let hash = try #require(PayloadHash(hex: read.reference.id))
            let kept = try await rig.lease.database.read(in: rig.lease.tenant) { tx in try PayloadStore(tx: tx).load(hash, blobs: nil) }
            #expect(kept == Array("before".utf8))
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `what steps of a run read is held by the run, however often they do, and goes with it`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { rig in
            let (disk, me, reader) = (DiskTests.disk(rig), rig.principal(), DiskTests.reader(rig))
            let file = try await disk.put("/a.txt", Array("read".utf8), type: nil, by: me)
            for _ in 0..<2 { _ = try await disk.select(DiskGlob("/*.txt"), for: reader) }
            _ = try await disk.file(at: file.path, for: reader)
            try await disk.delete(file.id, by: me)
            // As when the run is removed.
            let freed = try await rig.lease.database.write(in: rig.lease.tenant) { tx in
                try PayloadStore(tx: tx).release(try RunFileStore(tx: tx).forget(reader.run), of: PayloadUser(reader.run))
            }
            #expect(freed == 4)
        }
    }

    @Test func `a file that goes or changes while others are looked for is held as it is by then`() async throws {
        try await WorkflowHarness.run(.sqlite) { rig in
            let disk = DiskTests.disk(rig)
            let me = rig.principal()
            let gone = try await disk.put("/gone.txt", Array("gone".utf8), type: nil, by: me)
            _ = try await disk.put("/kept.txt", Array("first".utf8), type: nil, by: me)
            let paths = try await disk.select(DiskGlob("*.txt"), for: DiskTests.reader(rig)).map(\.path)
            #expect(paths.map(\.text) == ["gone.txt", "kept.txt"])
            try await disk.delete(gone.id, by: me)
            _ = try await disk.put("/kept.txt", Array("later".utf8), type: nil, by: me)
            let held = try await disk.hold(paths, for: DiskTests.reader(rig))
            #expect(held.map(\.path.text) == ["kept.txt"] && held[0].hash == PayloadHash(of: Array("later".utf8)))
        }
    }

    @Test func `files of one step count as they come and go`() async throws {
        try await WorkflowHarness.run(.sqlite) { rig in
            let disk = DiskTests.disk(rig)
            let tenant = rig.lease.tenant
            let files: [DiskWrite] = try (0..<50).map { number in
                DiskWrite(try DiskPath("/many/\(number)"), BinaryReference(id: "b", mimeType: "text/plain", byteCount: 1), appends: true)
            }
            try await disk.write(files, key: "k", tenant: tenant) { _ in BytePieces([1]) }
            let folder = try await disk.folder("/many", after: "", limit: 100, by: rig.principal())
            #expect(folder.files.count == 50 && folder.diskFileCount == 50)
        }
    }

    // MARK: The trigger

    private static func document(_ config: JSONObject) -> WorkflowDocument {
        WorkflowDocument(
            name: "Files",
            nodes: [
                WorkflowNode(
                    id: "t", category: .trigger, kind: LocalFileTrigger.kind, kindVersion: 1, name: "Changed", config: config,
                    connections: [.init(to: "n")]),
                WorkflowNode(id: "n", category: .action, kind: "no_op", name: "N")
            ])
    }

    private func withStarts(_ engine: DatabaseEngine, _ body: (WorkflowHarness, Disk, TimerService) async throws -> Void) async throws {
        try await WorkflowHarness.run(engine) { rig in
            let lease = rig.lease
            let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
            let runner = Engine(
                database: lease.database, lease: worker, services: .plain,
                configuration: Engine.Configuration(
                    kinds: .builtIn, load: { _, _, _ in throw Refusal.missing("workflow") }, resolve: { _, _ in throw Refusal.missing("workflow") },
                    errorWorkflow: { _, _ in nil }), clock: lease.clock.clock, ids: lease.ids, blobs: lease.blobs)
            let starts = DiskStarts(engine: runner, workflows: rig.workflows)
            let timers = TimerService(
                database: lease.database, clock: lease.clock.clock, logger: runner.logger,
                handlers: [DiskStarts.timerKind: { try await starts.start($0) }])
            try await body(rig, DiskTests.disk(rig), timers)
        }
    }

    @Test func `only so many triggers wait for a disk`() async throws {
        try await WorkflowHarness.run(.sqlite) { rig in
            let me = rig.principal()
            func document(_ name: String, _ count: Int) -> WorkflowDocument {
                WorkflowDocument(
                    name: name,
                    nodes: (0..<count).map { number in
                        WorkflowNode(
                            id: "t\(number)", category: .trigger, kind: LocalFileTrigger.kind, name: "T\(number)",
                            config: ["triggerOn": "file", "path": .string("/\(number)")])
                    })
            }
            let most = try await rig.workflows.create(document("Most", Limits.diskWatchesPerTenant), by: me)
            _ = try await rig.workflows.publish(most.id, by: me)
            let more = try await rig.workflows.create(document("More", 1), by: me)
            #expect(await code { _ = try await rig.workflows.publish(more.id, by: me) } == "too_many")
            _ = try await rig.workflows.publish(most.id, by: me)
            _ = try await rig.workflows.unpublish(most.id, by: me)
            _ = try await rig.workflows.publish(more.id, by: me)
        }
    }

    private func started(_ rig: WorkflowHarness, _ workflow: WorkflowID) async throws -> [JSON] {
        try await rig.lease.database.read(in: rig.lease.tenant) { tx in
            try RunStore(tx: tx).list(workflow: workflow, before: nil, limit: 50).reversed().flatMap { run in
                try PayloadReader(tx: tx, run: run.id, blobs: rig.lease.blobs).input(run).items().map { .object($0.json) }
            }
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `a published trigger starts a run for each change, once`(engine: DatabaseEngine) async throws {
        try await withStarts(engine) { rig, disk, timers in
            let me = rig.principal()
            let config: JSONObject = [
                "triggerOn": "folder", "path": "/in", "events": ["add", "change", "unlink", "addDir", "unlinkDir"], "options": ["ignored": "**/*.tmp"]
            ]
            let workflow = try await rig.workflows.create(Self.document(config), by: me)
            _ = try await disk.put("/in/early.txt", [1], type: nil, by: me)
            _ = try await rig.workflows.publish(workflow.id, by: me)
            let file = try await disk.put("/in/a.txt", [1], type: nil, by: me)
            _ = try await disk.put("/in/b.tmp", [1], type: nil, by: me)
            _ = try await disk.put("/elsewhere/a.txt", [1], type: nil, by: me)
            try await timers.fireDue()
            #expect(try await started(rig, workflow.id) == [["event": "add", "path": "/in/a.txt"]])
            try await timers.fireDue()
            #expect(try await started(rig, workflow.id).count == 1)
            _ = try await disk.put("/in/a.txt", [2], type: nil, by: me)
            try await timers.fireDue()
            #expect(try await started(rig, workflow.id).last == ["event": "change", "path": "/in/a.txt"])
            _ = try await disk.move(file.id, to: "/in/sub/a.txt", by: me)
            try await timers.fireDue()
            let moved = try await started(rig, workflow.id).dropFirst(2)
            #expect(moved.count == 3)
            for event: JSON in [
                ["event": "unlink", "path": "/in/a.txt"], ["event": "add", "path": "/in/sub/a.txt"], ["event": "addDir", "path": "/in/sub"]
            ] { #expect(moved.contains(event)) }
            try await disk.delete(file.id, by: me)
            try await timers.fireDue()
            #expect(try await started(rig, workflow.id).count == 7)
            // What a step writes is told in the transaction of the writing.
            let write = DiskWrite(try DiskPath("/in/s"), BinaryReference(id: "data:", mimeType: "a/b", byteCount: 1), appends: true)
            for _ in 0..<2 { try await disk.write([write], key: "k", tenant: rig.lease.tenant) { _ in BytePieces([1]) } }
            try await timers.fireDue()
            #expect(try await started(rig, workflow.id).count == 8, "its repeat changes nothing")
            _ = try await rig.workflows.unpublish(workflow.id, by: me)
            _ = try await disk.put("/in/late.txt", [1], type: nil, by: me)
            try await timers.fireDue()
            #expect(try await started(rig, workflow.id).count == 8)
        }
    }

    @Test func `a change that waits for a workflow that is taken down starts nothing, and another tenant's change neither`() async throws {
        try await withStarts(.sqlite) { rig, disk, timers in
            let me = rig.principal()
            let workflow = try await rig.workflows.create(Self.document(["triggerOn": "file", "path": "/a.txt"]), by: me)
            _ = try await rig.workflows.publish(workflow.id, by: me)
            _ = try await disk.put("/a.txt", [1], type: nil, by: me)
            _ = try await disk.put("/a.txt", [1], type: nil, by: rig.principal(in: rig.lease.other))
            _ = try await disk.put("/a.txt", [2], type: nil, by: rig.principal(in: rig.lease.other))
            try await timers.fireDue()
            #expect(try await started(rig, workflow.id).isEmpty, "the file came, which is no change of it")
            _ = try await disk.put("/a.txt", [2], type: nil, by: me)
            _ = try await rig.workflows.unpublish(workflow.id, by: me)
            #expect(try await timers.fireDue() == 1)
            #expect(try await timers.fireDue() == 0)
            #expect(try await started(rig, workflow.id).isEmpty)
        }
    }

    @Test func `a path out of the disk is refused when it is published`() async throws {
        try await withStarts(.sqlite) { rig, _, _ in
            let me = rig.principal()
            let workflow = try await rig.workflows.create(Self.document(["triggerOn": "file", "path": "/../x"]), by: me)
            #expect(await code { _ = try await rig.workflows.publish(workflow.id, by: me) } == "bad_path")
        }
    }
}
