import Kernel
import Testing

@testable import Workflows

/// How much of n8n's public templates runs here.
@Suite struct N8nCoverageTests {
    static let importer = N8nImporter(
        kind: { KindRegistry.builtIn.kind(n8nType: $0) }, supports: { KindRegistry.builtIn.supports(n8nType: $0, version: $1, parameters: $2) })

    /// Templates of the corpus that run wholly; it only ever grows.
    static let wholeTemplatesMinimum = 60

    @Test(.enabled(if: Corpus.isPresent)) func `so many templates run wholly`() throws {
        let reports = try Corpus.entries().map { try Self.importer.read($0.workflow, name: $0.name).report }
        let count = reports.count { $0.runsWholly }
        print("\(count) of \(reports.count) templates run wholly")
        #expect(count >= Self.wholeTemplatesMinimum)
        var alone: [String: Int] = [:]
        for report in reports where report.missing.count == 1 { alone[report.missing[0].type, default: 0] += 1 }
        let ranked = alone.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(12).map { "\($0.key) \($0.value)" }
        print("types that alone stand in the way: \(ranked.joined(separator: ", "))")
        var unread: [String: Int] = [:]
        for (entry, report) in zip(try Corpus.entries(), reports) {
            let types = Dictionary((entry.workflow["nodes"]?.array ?? []).map { ($0["name"]?.text ?? "", $0["type"]?.text ?? "") }) { first, _ in
                first
            }
            for parameter in report.unreadParameters { unread["\(types[parameter.node] ?? "?") \(parameter.parameter)", default: 0] += 1 }
        }
        let gaps = unread.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(40).map { "\($0.key) \($0.value)" }
        print("parameters that are not read: \(gaps.joined(separator: ", "))")
    }

    @Test func `what reaches into the server is refused with the reason`() throws {
        for type in ["executeCommand", "ssh"] {
            let node: JSON = ["name": "N", "type": .string("n8n-nodes-base.\(type)"), "typeVersion": 1, "position": [0, 0], "parameters": [:]]
            let report = try Self.importer.read(["name": "W", "nodes": [node], "connections": [:]]).report
            #expect(!report.runsWholly)
            let note = report.notes.first { $0.code == "refused_type" }
            #expect(note?.node == "N" && note?.message.contains(type) == true, "\(type)")
        }
    }

    @Test func `a request with a service's own credential is supported where its type is known`() {
        func supports(_ type: JSON) -> Bool {
            KindRegistry.builtIn.supports(
                n8nType: "n8n-nodes-base.httpRequest", version: 4.2,
                parameters: ["authentication": "predefinedCredentialType", "nodeCredentialType": type])
        }
        #expect(supports("openAiApi") && supports("googlePalmApi") && supports("n8nApi"))
        #expect(!supports("xeroOAuth2Api") && !supports("telegramApi"), "the latter has no way onto a request")
    }
}
