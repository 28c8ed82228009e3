internal import Crypto
internal import Foundation
internal import Kernel

/// Digests and keyed digests of values and files.
struct CryptoNode: NodeExecutor {
    static var kinds: [NodeKind] {
        let digests = ["MD5", "SHA1", "SHA256", "SHA384", "SHA512"].map { Parameter.Option(.init(.string($0)), $0) }
        return [
            NodeKind(
                kind: "crypto", category: .action, title: "Crypto", summary: "Hashes and signs values.", icon: "lock",
                parameters: [
                    Parameter("action", .options, "Action", default: "hash", options: [.init("hash", "Hash"), .init("hmac", "Hmac")]),
                    Parameter("type", .options, "Type", default: "MD5", options: digests),
                    Parameter("binaryData", .boolean, "Of a file", default: false),
                    Parameter("binaryPropertyName", .string, "File property", default: "data", showWhen: ["binaryData": [true]]),
                    Parameter("value", .string, "Value", default: "", showWhen: ["binaryData": [false]]),
                    Parameter("dataPropertyName", .string, "Put into", default: "data"),
                    Parameter("secret", .string, "Secret", default: "", showWhen: ["action": ["hmac"]]),
                    Parameter("encoding", .options, "Encoding", default: "hex", options: [.init("hex", "Hex"), .init("base64", "Base64")]),
                ], n8nTypes: ["n8n-nodes-base.crypto"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, item in
                var item = item.paired(with: index)
                let data = Data(try await input(step, item, index))
                let type = try await step.text("type", item: index, default: "MD5")
                let action = try await step.text("action", item: index, default: "hash")
                let digest: [UInt8]?
                switch action {
                case "hash": digest = CryptoNode.hash(data, type)
                case "hmac": digest = CryptoNode.sign(data, type, key: SymmetricKey(data: Data(try await step.text("secret", item: index).utf8)))
                default: throw StepFailure.invalid("action", "The action '\(action)' is not supported.", item: index)
                }
                guard let digest else { throw StepFailure.invalid("type", "The digest '\(type)' is not supported.", item: index) }
                let isBase64 = try await step.text("encoding", item: index, default: "hex") == "base64"
                let text = isBase64 ? Data(digest).base64EncodedString() : digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                DotPath(try await step.text("dataPropertyName", item: index, default: "data")).set(.string(text), in: &item.json)
                return [item]
            }
        ])
    }

    private func input(_ step: StepContext, _ item: Item, _ index: Int) async throws -> [UInt8] {
        guard try await step.flag("binaryData", item: index) else { return Array(try await step.text("value", item: index).utf8) }
        let name = try await step.text("binaryPropertyName", item: index, default: "data")
        guard let file = item.binary[name] else { throw StepFailure.invalid("binaryPropertyName", "The item has no file '\(name)'.", item: index) }
        return try await step.services.readBinary(file)
    }

    private static func hash(_ data: Data, _ type: String) -> [UInt8]? {
        switch type {
        case "MD5": Array(Insecure.MD5.hash(data: data))
        case "SHA1": Array(Insecure.SHA1.hash(data: data))
        case "SHA256": Array(SHA256.hash(data: data))
        case "SHA384": Array(SHA384.hash(data: data))
        case "SHA512": Array(SHA512.hash(data: data))
        default: nil
        }
    }

    private static func sign(_ data: Data, _ type: String, key: SymmetricKey) -> [UInt8]? {
        switch type {
        case "MD5": Array(HMAC<Insecure.MD5>.authenticationCode(for: data, using: key))
        case "SHA1": Array(HMAC<Insecure.SHA1>.authenticationCode(for: data, using: key))
        case "SHA256": Array(HMAC<SHA256>.authenticationCode(for: data, using: key))
        case "SHA384": Array(HMAC<SHA384>.authenticationCode(for: data, using: key))
        case "SHA512": Array(HMAC<SHA512>.authenticationCode(for: data, using: key))
        default: nil
        }
    }
}
