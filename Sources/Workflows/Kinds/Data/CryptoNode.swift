internal import Foundation
internal import Kernel

/// Digests, keyed digests, signatures and random texts.
struct CryptoNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "crypto", version: 2, category: .action, title: "Crypto", summary: "Hashes and signs values, and draws random ones.",
                icon: "lock", parameters: CryptoParameters.all, credentials: ["crypto"], n8nTypes: ["n8n-nodes-base.crypto"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let action = try await step.text("action", default: "hash")
        return .items([
            try await step.eachItem { index, item in
                let readsFiles = ["hash", "hmac"].contains(action)
                let isFile = readsFiles ? try await step.flag("binaryData", item: index) : false
                let result = try await CryptoAction(step: step, item: index, isFile: isFile, input: item).text(action)
                var made = item.paired(with: index)
                if isFile { made.binary = [:] }
                // The whole text is one name, dots and all.
                let name = try await step.text("dataPropertyName", item: index, default: "data")
                made.json[name] = .string(result)
                return [made]
            }
        ])
    }
}

/// One action for one item.
struct CryptoAction: Sendable {
    let step: StepContext
    let item: Int
    let isFile: Bool
    let input: Item

    func text(_ action: String) async throws -> String {
        switch action {
        case "hash":
            let type = try await digest("type")
            guard let hash = MessageDigest.hash(try await bytes(), type) else { throw unknown(type, "type") }
            return try await encoded(hash)
        case "hmac":
            let type = try await digest("type")
            let secret = try await secret("secret", credential: "hmacSecret")
            guard let code = MessageDigest.hmac(try await bytes(), type, key: Array(secret.utf8)) else { throw unknown(type, "type") }
            return try await encoded(code)
        case "sign": return try await encoded(try await signature())
        case "generate": return try await random()
        default: throw StepFailure.invalid("action", "The action '\(action)' is unknown.", item: item)
        }
    }

    private func digest(_ parameter: String) async throws -> String {
        let name = try await step.text(parameter, item: item)
        guard MessageDigest.exists(name) else { throw unknown(name, parameter) }
        return name
    }

    private func unknown(_ name: String, _ parameter: String) -> StepFailure {
        StepFailure.invalid(parameter, "The digest '\(name)' is not supported.", item: item)
    }

    private func bytes() async throws -> [UInt8] {
        guard isFile else { return Array(try await step.text("value", item: item).utf8) }
        let name = try await step.text("binaryPropertyName", item: item, default: "data")
        guard let file = input.binary[name] else { throw StepFailure.invalid("binaryPropertyName", "The item has no file '\(name)'.", item: item) }
        return try await step.services.readBinary(file)
    }

    /// From version 2 on a secret stands in a credential.
    private func secret(_ parameter: String, credential field: String) async throws -> String {
        if step.version < 2 { return try await step.text(parameter, item: item) }
        let fields = try await step.services.credential(ofType: "crypto")
        guard let secret = fields[field]?.text, !secret.isEmpty else {
            throw StepFailure.invalid("credentials", "The credential has no '\(field)'.", item: item)
        }
        return secret
    }

    private func signature() async throws -> [UInt8] {
        let algorithm = try await digest("algorithm")
        let key = try await secret("privateKey", credential: "signPrivateKey")
        let data = Array(try await step.text("value", item: item).utf8)
        guard let signature = MessageDigest.signature(of: data, algorithm, privateKey: CryptoAction.lines(ofPEM: key)) else {
            throw StepFailure.invalid("privateKey", "The private key cannot sign with '\(algorithm)'.", item: item)
        }
        return signature
    }

    /// Forms and credentials may have turned the lines of a key into one; the lines of PEM are restored.
    static func lines(ofPEM key: String) -> String {
        let text = key.replacing("\\n", with: "\n")
        guard !text.contains("\n"), let match = text.wholeMatch(of: /\s*(-----BEGIN [A-Z ]+-----)(.*?)(-----END [A-Z ]+-----)\s*/) else {
            return text
        }
        let body = match.2.filter { !$0.isWhitespace }
        var lines = [String(match.1)]
        var rest = body[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return (lines + [String(match.3)]).joined(separator: "\n") + "\n"
    }

    private func encoded(_ bytes: [UInt8]) async throws -> String {
        try await step.text("encoding", item: item, default: "hex") == "base64" ? Data(bytes).base64EncodedString() : bytes.hexText
    }

    private func random() async throws -> String {
        let type = try await step.text("encodingType", item: item, default: "uuid")
        if type == "uuid" { return UUID().uuidString.lowercased() }
        let length = try await step.number("stringLength", item: item) ?? 32
        guard length >= 0, length <= Double(KindLimits.randomBytes) else {
            throw StepFailure.invalid("stringLength", "The length must lie between 0 and \(KindLimits.randomBytes).", item: item)
        }
        let count = Int(length)
        var source = SystemRandomNumberGenerator()
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &source) }
        switch type {
        case "base64": return String(Data(bytes).base64EncodedString().filter { $0.isLetter || $0.isNumber }.prefix(count))
        case "hex": return String(bytes.hexText.prefix(count))
        case "ascii": return String(decoding: bytes.map { $0 & 0x7F }, as: UTF8.self)
        default: throw StepFailure.invalid("encodingType", "The type '\(type)' is unknown.", item: item)
        }
    }
}
