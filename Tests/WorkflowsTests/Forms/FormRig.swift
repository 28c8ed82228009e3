import Foundation
import HTTPSurface
import Jobs
import Kernel
import Logging
import Persistence
import Scripting
import Tenancy
import TestKit

@testable import Workflows

/// Published forms behind a surface, with a real engine whose waits are on a real database.
struct FormRig {
    let harness: WorkflowHarness
    let surface: Surface
    let engine: Engine
    let files: KindsHarness.Files

    /// - Parameter network: what steps connect to beside HTTP.
    static func run(network: ServiceNetwork? = nil, _ body: (FormRig) async throws -> Void) async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let lease = harness.lease
            let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
            let files = KindsHarness.Files()
            let links = AnswerLinks(vault: lease.vault) { door, tenant in "http://platform.test/\(door)/\(tenant == lease.tenant ? "t" : "o")" }
            let expressions = Expressions(scripts: KindsHarness.sandbox)
            var services = EngineServices(
                evaluate: { value, tenant, scope, item in try await expressions.evaluate(value, tenant: tenant, scope: scope, itemIndex: item) },
                scripts: KindsHarness.sandbox, credential: { try await harness.credentials.fields($0, type: $1, tenant: $2) },
                send: { request, _ in try harness.outside.send(request) }, readBinary: { file, _ in files.read(file.id) },
                writeBinary: { bytes, type, name, _ in
                    BinaryReference(id: files.write(bytes), mimeType: type, fileName: name, byteCount: bytes.count)
                })
            services.facilities = StepFacilities(addresses: { try await links.addresses(of: $1, place: $2, tenant: $0) })
            services.facilities.network = network
            let database = lease.database
            let engine = Engine(
                database: database, lease: worker, services: services,
                configuration: Engine.Configuration(
                    kinds: .builtIn,
                    load: { tenant, id, number in
                        let bytes = try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).document(of: id, version: number) }
                        return try WorkflowDocument(stored: bytes ?? [])
                    }, resolve: { _, _ in throw Refusal.missing("workflow") }, errorWorkflow: { _, _ in nil }),
                clock: lease.clock.clock, ids: lease.ids, blobs: lease.blobs)
            let webhooks = Webhooks(
                database: database, engine: engine, workflows: harness.workflows, clock: lease.clock.clock, timeZone: { _ in "UTC" },
                credential: { [credentials = harness.credentials] in try await credentials.fields($0, type: $1, tenant: $2) },
                openBinary: { file, _ in (files.read(file.id).count, BytePieces(files.read(file.id))) },
                store: { bytes, type, name, _ in
                    BinaryReference(id: files.write(bytes), mimeType: type, fileName: name, byteCount: bytes.count)
                })
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().path()
            let forms = Forms(
                webhooks: webhooks, links: links, blobs: lease.blobs, console: Console(files: try StaticFiles(roots: [root + "Web"]), entries: []),
                brand: { _ in Brand(name: "Acme & Sons") })
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let surface = Surface(
                endpoints: FormRoutes(forms: forms).endpoints + HookRoutes(webhooks: webhooks).endpoints,
                doors: Doors(
                    authenticate: { _ in .anonymous },
                    resolveTenant: { $0 == .subdomain("t") ? lease.tenant : $0 == .subdomain("o") ? lease.other : nil }),
                ids: lease.ids, strings: try Strings(directory: root + "Locales"), logger: logger)
            try await body(FormRig(harness: harness, surface: surface, engine: engine, files: files))
            await engine.stop()
        }
    }

    @discardableResult
    func publish(_ nodes: [WorkflowNode]) async throws -> WorkflowID {
        var line = nodes
        for index in line.indices.dropLast() where line[index].connections.isEmpty { line[index].connections = [.init(to: line[index + 1].id)] }
        let me = harness.principal()
        let document = WorkflowDocument(name: "Form \(nodes[0].name)", nodes: line)
        let made = try await harness.workflows.create(document, by: me)
        _ = try await harness.workflows.publish(made.id, by: me)
        return made.id
    }

    func get(_ path: String, headers: [(name: String, value: String)] = []) async throws -> (LocalAnswer, String) {
        let answer = try await surface.answer(LocalRequest("GET", path, headers: headers))
        return (answer, String(decoding: answer.body, as: UTF8.self))
    }

    func post(_ path: String, _ body: String, type: String = "application/x-www-form-urlencoded") async throws -> (LocalAnswer, String) {
        let answer = try await surface.answer(LocalRequest("POST", path, headers: [("Content-Type", type)], body: Array(body.utf8)))
        return (answer, String(decoding: answer.body, as: UTF8.self))
    }

    /// Where an answer leads, without its host.
    func location(_ answer: LocalAnswer) -> String { answer.header("Location") ?? "" }

    /// The only run there is, once it is over.
    func finished() async throws -> Run {
        for _ in 0..<6_000 {
            let runs = try await harness.lease.database.read(in: harness.lease.tenant) { tx in
                try RunStore(tx: tx).list(status: nil, before: nil, limit: 1)
            }
            if let run = runs.first, run.status.isOver { return run }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw StepFailure("late", "the run is not over")
    }

    /// What the last step of the only run gave out.
    func result() async throws -> [Item] {
        let run = try await finished()
        let blobs = harness.lease.blobs
        return try await harness.lease.database.read(in: harness.lease.tenant) { tx in
            let list = try PayloadReader(tx: tx, run: run.id, blobs: blobs).result(run)
            return try list.items()
        }
    }
}

extension WorkflowNode {
    static func form(_ fields: JSON, version: Double = 2.2, _ more: JSONObject = [:]) -> WorkflowNode {
        var config: JSONObject = [
            "formTitle": "Ask <us>", "formDescription": "Tell\\nus <b>all</b><script>x</script>", "formFields": ["values": fields]
        ]
        config.merge(more)
        if version >= 2.1, config["options"] == nil { config["options"] = ["path": "ask"] }
        return WorkflowNode(id: "form", category: .trigger, kind: "form_trigger", kindVersion: version, name: "Ask", config: config)
    }

    static func step(_ name: String, _ kind: String, _ version: Double, _ config: JSONObject) -> WorkflowNode {
        WorkflowNode(id: name, category: .action, kind: kind, kindVersion: version, name: name, config: config)
    }
}
