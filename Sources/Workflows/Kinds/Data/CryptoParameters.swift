internal import Kernel

enum CryptoParameters {
    private static func options(_ values: [String]) -> [Parameter.Option] { values.map { .init(.init(.string($0)), $0) } }

    static var all: [Parameter] {
        let digests = options(["MD5", "SHA1", "SHA256", "SHA3-256", "SHA3-384", "SHA3-512", "SHA384", "SHA512"])
        let digesting: Parameter.ShowWhen = ["action": ["hash", "hmac"]]
        return [
            Parameter(
                "action", .options, "Action", default: "hash",
                options: [.init("generate", "Generate"), .init("hash", "Hash"), .init("hmac", "Hmac"), .init("sign", "Sign")]),
            Parameter(
                "type", .options, "Digest", default: "MD5", options: digests, showWhen: ["action": ["hash", "hmac"], "@version": ["<2"]]),
            Parameter(
                "type", .options, "Digest", default: "SHA256", options: digests, showWhen: ["action": ["hash", "hmac"], "@version": [">=2"]]),
            Parameter("binaryData", .boolean, "Of a file", default: false, showWhen: digesting),
            Parameter(
                "binaryPropertyName", .string, "File property", default: "data", showWhen: ["action": ["hash", "hmac"], "binaryData": [true]]),
            Parameter("value", .string, "Value", default: "", showWhen: ["action": ["hash", "hmac", "sign"]]),
            Parameter("dataPropertyName", .string, "Put into", default: "data"),
            Parameter("secret", .string, "Secret", default: "", showWhen: ["action": ["hmac"], "@version": ["<2"]]),
            Parameter("algorithm", .string, "Algorithm", help: "RSA-SHA256, sha512WithRSAEncryption, …", default: "", showWhen: ["action": ["sign"]]),
            Parameter("privateKey", .text, "Private key", default: "", showWhen: ["action": ["sign"], "@version": ["<2"]]),
            Parameter(
                "encoding", .options, "Encoding", default: "hex", options: [.init("base64", "Base64"), .init("hex", "Hex")],
                showWhen: ["action": ["hash", "hmac", "sign"]]),
            Parameter(
                "encodingType", .options, "Type", default: "uuid", options: options(["ascii", "base64", "hex", "uuid"]),
                showWhen: ["action": ["generate"]]),
            Parameter(
                "stringLength", .number, "Length", default: 32, showWhen: ["action": ["generate"], "encodingType": ["ascii", "base64", "hex"]])
        ]
    }
}
