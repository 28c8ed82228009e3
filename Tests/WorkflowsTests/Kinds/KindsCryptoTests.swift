import Crypto
import CryptoExtras
import Foundation
import Kernel
import Testing

@testable import Workflows

@Suite struct KindsCryptoTests {
    var harness = KindsHarness()

    func one(_ version: Double, _ config: JSONObject, _ input: Item = Item(json: [:])) async throws -> Item {
        var node = WorkflowNode.make("crypto", version, config)
        if version >= 2 { node.credentials["crypto"] = CredentialReference(id: "1", name: "Crypto") }
        return try #require(try await harness.items(node, inputs: [[input]])[0].first)
    }

    /// FIPS 180-4 and FIPS 202's examples, and HMACs computed with Python's hmac.
    @Test(arguments: [
        ("MD5", "900150983cd24fb0d6963f7d", "d2fe98063f876b03193afb49"), ("SHA1", "a9993e364706816aba3e2571", "4fd0b215276ef12f2b3e4c8e"),
        ("SHA256", "ba7816bf8f01cfea414140de", "9c196e32dc0175f86f4b1cb8"), ("SHA384", "cb00753f45a35e8bb5a03d69", "30ddb9c8f347cffbfb44e519"),
        ("SHA512", "ddaf35a193617abacc417349", "3926a207c8c42b0c41792cbd"), ("SHA3-256", "3a985da74fe225b2045c172d", "09b6dbab8d11795ca7c8d82f"),
        ("SHA3-384", "ec01498288516fc926459f58", "94f2aa7ae7c4b7b8fa4c612f"), ("SHA3-512", "b751850b1a57168a5693cd92", "085e4e83503f40b82fef3843")
    ]) func `digests of every type`(_ type: String, _ hash: String, _ code: String) async throws {
        let hashed = try await one(1, ["type": .string(type), "value": "abc"])
        #expect(hashed.json["data"]?.text?.hasPrefix(hash) == true)
        let signed = try await one(1, ["action": "hmac", "type": .string(type), "value": "abc", "secret": "key", "dataPropertyName": "a.b"])
        let text = signed.json["a.b"]?.text ?? ""
        #expect(text.count == (hashed.json["data"]?.text?.count ?? 0) && text.hasPrefix(code))
    }

    @Test func `defaults differ by version, and results come in base64`() async throws {
        #expect(try await one(1, ["value": "abc"]).json["data"] == "900150983cd24fb0d6963f7d28e17f72")
        #expect(try await one(2, ["value": "abc"]).json["data"]?.text?.count == 64)
        #expect(try await one(1, ["value": "abc", "encoding": "base64"]).json["data"] == "kAFQmDzST7DWlj99KOF/cg==")
        await #expect(throws: StepFailure.self) { try await one(1, ["value": "abc", "type": "SHA9"]) }
    }

    @Test func `a file is hashed, and goes no further`() async throws {
        var item = Item(json: ["k": 1])
        item.binary["data"] = BinaryReference(id: harness.files.write(Array("abc".utf8)), mimeType: "text/plain", fileName: nil, byteCount: 3)
        let hashed = try await one(1, ["binaryData": true], item)
        #expect(hashed.json == ["k": 1, "data": "900150983cd24fb0d6963f7d28e17f72"] && hashed.binary.isEmpty)
        #expect(try await one(1, ["value": "abc"], item).binary.count == 1)
        await #expect(throws: StepFailure.self) { try await one(1, ["binaryData": true, "binaryPropertyName": "none"], item) }
    }

    @Test func `signatures are those of the key, of RSA and of elliptic curves`() async throws {
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let data = Data("hello".utf8)
        for (algorithm, text) in [("RSA-SHA256", rsa.pemRepresentation), ("sha256", rsa.pkcs8PEMRepresentation.replacing("\n", with: " "))] {
            let config: JSONObject = [
                "action": "sign", "value": "hello", "algorithm": .string(algorithm), "privateKey": .string(text), "encoding": "base64"
            ]
            let signature = try #require(Data(base64Encoded: try await one(1, config).json["data"]?.text ?? ""))
            #expect(rsa.publicKey.isValidSignature(.init(rawRepresentation: signature), for: SHA256.hash(data: data), padding: .insecurePKCS1v1_5))
        }
        let curve = P256.Signing.PrivateKey()
        let config: JSONObject = [
            "action": "sign", "value": "hello", "algorithm": "SHA256", "privateKey": .string(curve.pemRepresentation), "encoding": "base64"
        ]
        let signature = try #require(Data(base64Encoded: try await one(1, config).json["data"]?.text ?? ""))
        #expect(curve.publicKey.isValidSignature(try .init(derRepresentation: signature), for: data))
    }

    @Test func `a key that cannot sign is refused without being shown`() async throws {
        let config: JSONObject = ["action": "sign", "value": "x", "algorithm": "RSA-SHA256", "privateKey": "hunter2"]
        let failure = await #expect(throws: StepFailure.self) { try await one(1, config) }
        #expect(failure?.message.contains("hunter2") == false && failure?.isRetryable == false)
    }

    @Test func `from version 2 on secrets stand in a credential`() async throws {
        var test = KindsCryptoTests()
        test.harness.credentials = ["crypto": ["hmacSecret": "key"]]
        let code = try await test.one(2, ["action": "hmac", "type": "MD5", "value": "abc"])
        #expect(code.json["data"] == "d2fe98063f876b03193afb49b4979591")
        let failure = await #expect(throws: StepFailure.self) { try await test.one(2, ["action": "sign", "algorithm": "SHA256"]) }
        #expect(failure?.message.contains("signPrivateKey") == true)
        #expect(CredentialType.named("crypto")?.fields.allSatisfy(\.isSecret) == true)
    }

    @Test func `random texts have the length and letters asked for`() async throws {
        func drawn(_ type: String, _ length: Int) async throws -> String {
            try await one(1, ["action": "generate", "encodingType": .string(type), "stringLength": .number(Double(length))]).json["data"]?.text ?? ""
        }
        let hex = try await drawn("hex", 33)
        #expect(hex.count == 33 && hex.allSatisfy(\.isHexDigit))
        let base64 = try await drawn("base64", 40)
        #expect(base64.count == 40 && base64.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
        let ascii = try await drawn("ascii", 16)
        #expect(ascii.utf8.count == 16 && ascii.utf8.allSatisfy { $0 < 128 })
        let first = try await one(1, ["action": "generate"]).json["data"]?.text ?? ""
        let second = try await one(1, ["action": "generate"]).json["data"]?.text ?? ""
        #expect(UUID(uuidString: first) != nil && first != second && first == first.lowercased())
        await #expect(throws: StepFailure.self) { try await drawn("hex", -1) }
    }
}
