internal import Kernel
internal import Outbound
internal import Scripting

/// A store that speaks S3's protocol (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html).
struct S3Client: Sendable {
    private let step: StepContext
    private let signer: RequestSigner
    /// `https://host`
    private let origin: String
    private let bucketsInPath: Bool
    private let verifies: Bool

    static let pagesMaximum = 10_000

    init(_ step: StepContext) async throws {
        self.step = step
        let type = step.kind.kind == "aws_s3" ? "aws" : "s3"
        let fields = try await step.services.credential(ofType: type)
        func text(_ name: String) -> String { (fields[name]?.displayText ?? "").filter { !$0.isWhitespace } }
        let region = text("region").isEmpty ? "us-east-1" : text("region")
        signer = RequestSigner(
            accessKey: text("accessKeyId"), secret: text("secretAccessKey"), sessionToken: text("sessionToken"), region: region, service: "s3")
        let own = type == "aws" ? text("s3Endpoint").replacing("{region}", with: region) : text("endpoint")
        let endpoint = own.isEmpty ? "https://s3.\(region).amazonaws.com" : own
        origin = String((endpoint.contains("://") ? endpoint : "https://\(endpoint)").reversed().drop { $0 == "/" }.reversed())
        bucketsInPath = type == "aws" ? !own.isEmpty : fields["forcePathStyle"]?.isTruthy ?? false
        verifies = fields["ignoreSSLIssues"]?.isTruthy != true
    }

    /// - Parameter key: nil for the bucket itself.
    /// - Throws: `s3_error` with the store's code and words.
    @discardableResult
    func send(
        _ method: String, bucket: String, key: String? = nil, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) async throws -> OutboundResponse {
        let encoded = key.map { RequestSigner.escaped($0, keepingSlashes: true) } ?? ""
        var base = origin
        var path = "/" + encoded
        if !bucket.isEmpty {
            let isHostName = bucket.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
            if bucketsInPath || !isHostName {
                path = "/\(RequestSigner.escaped(bucket))\(key == nil ? "" : "/\(encoded)")"
            } else if let mark = base.firstRange(of: "://") {
                base.insert(contentsOf: "\(bucket).", at: mark.upperBound)
            }
        }
        var request = signer.signed(method, origin: base, path: path, query: query, headers: headers, body: body, now: step.now)
        request.verifyCertificates = verifies
        let response = try await step.services.send(request)
        guard response.status < 300 else { throw await failure(response) }
        return response
    }

    /// What a list request gives, page after page.
    func list(bucket: String, prefix: String, delimiter: String = "", limit: Int?) async throws -> [JSONObject] {
        var found: [JSONObject] = []
        var token: String?
        for _ in 0..<Self.pagesMaximum {
            var query = [(name: "list-type", value: "2"), (name: "prefix", value: prefix)]
            if !delimiter.isEmpty { query.append(("delimiter", delimiter)) }
            if let token { query.append(("continuation-token", token)) }
            let page = try await document(send("GET", bucket: bucket, query: query).body)
            found += page.children("Contents").map(\.flat)
            if let limit, found.count >= limit { return Array(found.prefix(limit)) }
            guard page.child("IsTruncated")?.text == "true", let next = page.child("NextContinuationToken")?.text else { break }
            token = next
        }
        return found
    }

    func document(_ bytes: [UInt8]) async throws -> Markup {
        let answer = try await step.convert(FileConversion(.readXML, files: [.init(bytes: bytes)]))
        guard let root = answer.facts["root"].flatMap(Markup.init) else { throw StepFailure("invalid_response", "The store's answer is not XML.") }
        return root
    }

    private func failure(_ response: OutboundResponse) async -> StepFailure {
        let error = try? await document(response.body)
        let code = error?.child("Code")?.text ?? "status \(response.status)"
        let message = error?.child("Message")?.text ?? String(decoding: response.body.prefix(300), as: UTF8.self)
        return StepFailure(
            "s3_error", "\(code): \(message)", details: ["status": .number(Double(response.status)), "code": .string(code)],
            isRetryable: response.status >= 500)
    }
}
