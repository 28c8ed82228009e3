internal import Crypto
internal import Foundation
internal import Kernel

/// What a tenant is made of, as files of a folder: `aias.json`, `workflows/*.json`, `data-tables/*.json`, `variables.json`,
/// `credentials.json`. No ids, no times, no secrets: the same for every tenant that has the same.
struct TenantTree: Sendable {
    static let format = 1
    static let manifest = "aias.json"
    static let variablesFile = "variables.json"
    static let credentialsFile = "credentials.json"
    static let workflowFolder = "workflows"
    static let tableFolder = "data-tables"
    private static let stemLength = 60

    /// By path within the folder.
    var workflows: [String: JSON] = [:]
    var tables: [String: JSON] = [:]
    var variables: [String: String] = [:]
    var credentials: [(type: String, name: String)] = []

    /// The files' texts by path.
    var files: [String: String] {
        var out = [Self.manifest: TreeText.write(["format": .number(Double(Self.format))])]
        for (path, json) in workflows { out[path] = TreeText.write(json) }
        for (path, json) in tables { out[path] = TreeText.write(json) }
        out[Self.variablesFile] = TreeText.write(.object(JSONObject(variables.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })))
        let named = credentials.sorted { ($0.type, $0.name) < ($1.type, $1.name) }
        out[Self.credentialsFile] = TreeText.write(.array(named.map { ["type": .string($0.type), "name": .string($0.name)] }))
        return out
    }

    static func hash(_ text: String) -> String { SHA256.hash(data: Data(text.utf8)).hexText }

    /// A file name for a thing: its name in small letters, digits and hyphens, with a number where it is taken.
    static func path(in folder: String, for name: String, taken: Set<String>) -> String {
        let words = name.lowercased().split { !($0.isLetter || $0.isNumber) }.joined(separator: "-")
        let stem = words.isEmpty ? "unnamed" : String(words.prefix(stemLength))
        var number = 1
        while true {
            let path = "\(folder)/\(stem)\(number == 1 ? "" : "-\(number)").json"
            if !taken.contains(path) { return path }
            number += 1
        }
    }

    /// Paths in the order in which things of the same name get their numbers.
    static func inOrder(_ paths: some Sequence<String>) -> [String] { paths.sorted { ($0.count, $0) < ($1.count, $1) } }
}

extension TenantTree {
    /// Reads a folder; every fault is listed with its file and line.
    /// - Throws: `invalid_tree`, and a sentence for a folder that is no tree.
    static func read(_ folder: String) throws -> (tree: TenantTree, texts: [String: String]) {
        var reader = TreeReader(folder: folder)
        let tree = try reader.read()
        guard reader.faults.isEmpty else {
            throw Refusal(
                .invalid, "invalid_tree", reader.faults.count == 1 ? "A file has a fault:" : "There are \(reader.faults.count) faults in the files:",
                faults: reader.faults)
        }
        return (tree, reader.texts)
    }
}

private struct TreeReader {
    let folder: String
    var faults: [Refusal.Fault] = []
    var texts: [String: String] = [:]

    mutating func read() throws -> TenantTree {
        guard let manifest = try json(TenantTree.manifest) else {
            if faults.isEmpty {
                throw Refusal(.missing, "no_tree", "\(folder) holds no \(TenantTree.manifest): it is no folder that `aias pull` made.")
            }
            return TenantTree()
        }
        guard let format = manifest["format"]?.integer, (1...TenantTree.format).contains(format) else {
            fault(TenantTree.manifest, "format", "This program reads trees up to format \(TenantTree.format).")
            return TenantTree()
        }
        var tree = TenantTree()
        for path in try paths(TenantTree.workflowFolder) { tree.workflows[path] = try workflow(path) }
        for path in try paths(TenantTree.tableFolder) { tree.tables[path] = try table(path) }
        for (name, value) in try json(TenantTree.variablesFile)?.object ?? [:] {
            if let text = value.text { tree.variables[name] = text } else { fault(TenantTree.variablesFile, name, "A variable is a text.") }
        }
        for (index, entry) in (try json(TenantTree.credentialsFile)?.array ?? []).enumerated() {
            if let type = entry["type"]?.text, let name = entry["name"]?.text {
                tree.credentials.append((type, name))
            } else {
                fault(TenantTree.credentialsFile, "[\(index)]", "A credential has a type and a name.")
            }
        }
        return tree
    }

    private mutating func workflow(_ path: String) throws -> JSON? {
        guard let file = try json(path) else { return nil }
        for found in TreeWorkflow.faults(file) { fault(path, found.field, found.message) }
        return file
    }

    private mutating func table(_ path: String) throws -> JSON? {
        guard let file = try json(path) else { return nil }
        if file["name"]?.text == nil { fault(path, "name", "A data table has a name.") }
        for (index, column) in (file["columns"]?.array ?? []).enumerated() where column["name"]?.text == nil || column["type"]?.text == nil {
            fault(path, "columns[\(index)]", "A column has a name and a type.")
        }
        if file["columns"]?.array == nil { fault(path, "columns", "A data table has a list of columns.") }
        return file
    }

    private func paths(_ sub: String) throws -> [String] {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(sub)")) ?? []
        return found.filter { $0.hasSuffix(".json") }.sorted().map { "\(sub)/\($0)" }
    }

    /// Nil for a file that is not there, and for one with a fault, which is noted.
    private mutating func json(_ path: String) throws -> JSON? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(path)") else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        texts[path] = text
        do {
            return try JSON(parsing: [UInt8](data))
        } catch let error as JSON.ParseError {
            note(path, TreeLines(text).line(ofByte: error.offset), "This is no JSON: \(error.reason).")
            return nil
        }
    }

    private mutating func fault(_ path: String, _ field: String, _ message: String) {
        note(path, TreeLines(texts[path] ?? "").line(of: field), message)
    }

    private mutating func note(_ path: String, _ line: Int, _ message: String) {
        faults.append(Refusal.Fault(field: "\(path):\(line)", code: "invalid_file", message: message))
    }
}
