internal import Foundation
package import Kernel
internal import Outbound
internal import Scripting
internal import Synchronization
package import Workflows

/// Runs workflow files in memory, with the machine's sandbox and outbound and without a database.
package struct LocalPlatform: Sendable {
    package struct Outcome: Sendable {
        /// `succeeded`, `failed`, `cancelled`
        package var status: String
        /// By node, in the document's order: the items of each output of its last run.
        package var nodes: [(name: String, outputs: [[JSON]])]
        package var error: JSON?

        package var json: JSON {
            var members = JSONObject()
            for (name, outputs) in nodes { members[name] = .array(outputs.map { .array($0) }) }
            var whole: JSONObject = ["status": .string(status), "nodes": .object(members)]
            whole["error"] = error
            return .object(whole)
        }
    }

    private let environment: [String: String]

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) { self.environment = environment }

    /// - Throws: a refusal for a document that cannot be read or has no trigger.
    package func run(_ json: JSON, items: [JSON]) async throws -> Outcome {
        let document = try Self.document(json)
        let triggers = document.nodes.filter { $0.category == .trigger && !$0.disabled }
        guard let trigger = triggers.first(where: { $0.kind == "manual" }) ?? triggers.first else {
            throw Refusal.invalid("nodes", "no_trigger", "Nothing starts this workflow: it has no trigger.")
        }
        let outbound = try Outbound(policy: AddressPolicy(environment: environment))
        let outcome: LocalRun.Outcome
        do {
            outcome = try await local(outbound).run(
                CompiledWorkflow(document, kinds: .builtIn), trigger: trigger.name, items: items.map { ItemCodec.item($0) },
                timeZone: document.settings.timeZone ?? "UTC")
            await outbound.shutdown()
        } catch {
            await outbound.shutdown()
            throw error
        }
        return Outcome(
            status: outcome.end.status.rawValue,
            nodes: try outcome.outputs().map { ($0.node, $0.outputs.map { $0.map { ItemCodec.json($0, pairedItem: nil) } }) },
            error: outcome.end.failure?.journaled)
    }

    /// Reads n8n's JSON, known by its `connections`, or a document of ours.
    private static func document(_ json: JSON) throws -> WorkflowDocument {
        let isN8n = json["connections"] != nil || json["nodes"]?.array?.first?["typeVersion"] != nil
        return isN8n ? try importer.read(json).document : try WorkflowDocument(json: json, kinds: { KindRegistry.builtIn.kind($0) })
    }

    private static var importer: N8nImporter {
        N8nImporter(
            kind: { KindRegistry.builtIn.kind(n8nType: $0) }, supports: KindRegistry.builtIn.supports)
    }

    /// What of an n8n file runs here, and what is left to do.
    package static func report(_ json: JSON) throws -> ImportReport { try importer.read(json).report }

    private func local(_ outbound: Outbound) -> LocalRun {
        let scripts = Sandbox()
        let expressions = Expressions(scripts: scripts)
        let files = LocalFiles()
        let converter = FileConverter()
        var services = EngineServices(
            evaluate: { value, tenant, scope, item in try await expressions.evaluate(value, tenant: tenant, scope: scope, itemIndex: item) },
            scripts: scripts,
            credential: { _, type, _ in
                throw StepFailure("credential_missing", "A file run without a server has no credentials (\(type)).", isRetryable: false)
            },
            send: { request, _ in try await outbound.send(request) }, readBinary: { reference, _ in try files.read(reference) },
            writeBinary: { bytes, type, name, _ in files.write(bytes, type, name) })
        services.facilities = StepFacilities(convert: { try await converter.convert($0) })
        services.facilities.network = ServiceNetwork(outbound: outbound)
        let ids = IDs(clock: .system)
        return LocalRun(services: services, clock: .system, ids: ids, tenant: ids.next()) { _ in
            throw StepFailure("no_such_workflow", "A file run without a server cannot call other workflows.", isRetryable: false)
        }
    }
}

/// Attachments of a run in memory.
private final class LocalFiles: Sendable {
    private let files = Mutex<[String: [UInt8]]>([:])

    func write(_ bytes: [UInt8], _ mimeType: String, _ name: String?) -> BinaryReference {
        let id = files.withLock { files in
            files["\(files.count)"] = bytes
            return "\(files.count - 1)"
        }
        return BinaryReference(id: id, mimeType: mimeType, fileName: name, byteCount: bytes.count)
    }

    func read(_ reference: BinaryReference) throws -> [UInt8] {
        if reference.id.hasPrefix("data:"), let data = Data(base64Encoded: String(reference.id.dropFirst(5))) { return [UInt8](data) }
        guard let bytes = files.withLock({ $0[reference.id] }) else {
            throw StepFailure("binary_gone", "The attached file is gone.", isRetryable: false)
        }
        return bytes
    }
}
