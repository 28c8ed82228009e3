internal import Foundation
internal import Kernel
internal import Scripting

/// The bytes of files in expressions: `$binary.photo.data` is the file in base64, as where n8n keeps files in memory. They are read before an
/// expression that names them is evaluated, and forgotten after it.
extension RunScope {
    /// The same where the value has no expression that asks for a file's bytes.
    /// - Throws: `file_too_large` where the files that may be meant have more than `Limits.fileBytesInExpressions`.
    func showingFiles(in value: JSON, item: Int, read: (BinaryReference) async throws -> [UInt8]) async throws -> RunScope {
        let texts = value.expressions.filter { Self.asksForBytes($0) }
        guard !texts.isEmpty else { return self }
        var bytes: [String: String] = [:]
        var byteCount = 0
        for file in files(meantBy: texts, item: item) where bytes[file.id] == nil {
            byteCount += file.byteCount
            guard byteCount <= Limits.fileBytesInExpressions else { throw Self.tooLarge(file) }
            bytes[file.id] = Data(try await read(file)).base64EncodedString()
        }
        return showing(bytes)
    }

    /// Whether `….binary.name.data` stands in a text, however it is written.
    static func asksForBytes(_ text: String) -> Bool {
        text.contains(#/binary(?:\??\.[\w$]+|(?:\?\.)?\[[^\]]*\])(?:\??\.data(?![\w$])|(?:\?\.)?\[\s*['"`]data['"`]\s*\])/#)
    }

    /// The files of the item, of the first one where a text asks for others than its own, and of items of the nodes that are named; those alone whose
    /// names stand in a text, unless it makes the name.
    private func files(meantBy texts: [String], item: Int) -> [BinaryReference] {
        var items: [JSON] = []
        let looksAround = texts.contains { $0.contains(#/first\(|all\(|items|itemMatching|\[0\]/#) }
        for index in item == 0 || !looksAround ? [item] : [item, 0] {
            if let found = try? inputItem(index) { items.append(found) }
        }
        for name in Set(texts.flatMap { Self.nodes(in: $0) }) {
            // What cannot be found is told where the expression asks for it.
            if let found = try? pairedItem(ofNode: name, itemIndex: item) { items.append(found) }
            if let all = try? self.items(ofNode: name, output: leadingOutput(ofNode: name), run: nil), let first = all.first { items.append(first) }
        }
        let named: [(key: String, value: JSON)] = items.flatMap { Array($0["binary"]?.object ?? [:]) }
        let makesName = texts.contains { $0.contains(#/binary(?:\?\.)?\[\s*[^'"`]/#) }
        let names = Set(texts.flatMap { Self.names(in: $0) })
        return named.filter { makesName || names.contains($0.key) }.map { BinaryReference($0.value) }
    }

    /// `binary.name` and `binary['name']`.
    private static func names(in text: String) -> [String] {
        text.matches(of: #/binary(?:\??\.([\w$]+)|(?:\?\.)?\[\s*(['"`])(.*?)\2\s*\])/#).map { String($0.output.1 ?? $0.output.3 ?? "") }
    }

    /// `$('name')` and `$node['name']`.
    private static func nodes(in text: String) -> [String] {
        text.matches(of: #/\$(?:\(|node\[)\s*(['"`])(.*?)\1/#).map { String($0.output.2) }
    }

    private static func tooLarge(_ file: BinaryReference) -> StepFailure {
        StepFailure(
            "file_too_large",
            "The files of this expression, such as '\(file.fileName ?? file.mimeType)', have more than \(Limits.fileBytesInExpressions) bytes.",
            isRetryable: false)
    }
}

extension JSON {
    /// Every text inside that begins with `=`.
    fileprivate var expressions: [String] {
        switch self {
        case .string(let text): text.utf8.first == UInt8(ascii: "=") ? [text] : []
        case .array(let elements): elements.flatMap(\.expressions)
        case .object(let members): members.flatMap { $0.value.expressions }
        default: []
        }
    }
}
