internal import Kernel
internal import Outbound

/// Files, folders and buckets of a store that speaks S3.
struct S3Node: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "s3", category: .action, title: "S3", summary: "Reads and writes a store that speaks S3.", icon: "cloud",
                parameters: parameters,
                credentials: ["s3"], effect: .keyed, n8nTypes: ["n8n-nodes-base.s3"]),
            NodeKind(
                kind: "aws_s3", version: 2, category: .action, title: "AWS S3", summary: "Reads and writes Amazon S3.", icon: "cloud",
                parameters: parameters, credentials: ["aws"], effect: .keyed, n8nTypes: ["n8n-nodes-base.awsS3"])
        ]
    }

    private static var parameters: [Parameter] {
        func on(_ resource: JSONText, _ operations: JSONText...) -> Parameter.ShowWhen { ["resource": [resource], "operation": operations] }
        func operations(_ resource: JSONText, _ fallback: JSONText, _ list: [(JSONText, String)]) -> Parameter {
            Parameter(
                "operation", .options, "Operation", default: fallback, options: list.map { .init($0.0, $0.1) }, showWhen: ["resource": [resource]])
        }
        let named = [on("file", "upload", "download", "delete", "getAll"), on("folder", "create", "delete", "getAll"), on("bucket", "search")]
        let listed = [on("file", "getAll"), on("folder", "getAll"), on("bucket", "getAll", "search")]
        var all: [Parameter] = [
            Parameter(
                "resource", .options, "Resource", default: "file",
                options: [.init("bucket", "Bucket"), .init("file", "File"), .init("folder", "Folder")]),
            operations("bucket", "create", [("create", "Create"), ("delete", "Delete"), ("getAll", "Get many"), ("search", "Search")]),
            operations(
                "file", "download", [("copy", "Copy"), ("delete", "Delete"), ("download", "Download"), ("getAll", "Get many"), ("upload", "Upload")]),
            operations("folder", "create", [("create", "Create"), ("delete", "Delete"), ("getAll", "Get many")]),
            Parameter("name", .string, "Name", default: "", required: true, showWhen: on("bucket", "create", "delete")),
            Parameter("sourcePath", .string, "Source", help: "/bucket/file", default: "", required: true, showWhen: on("file", "copy")),
            Parameter("destinationPath", .string, "Destination", help: "/bucket/file", default: "", required: true, showWhen: on("file", "copy")),
            Parameter("fileName", .string, "File name", default: "", required: true, showWhen: on("file", "upload")),
            Parameter("binaryData", .boolean, "From a file field", default: true, showWhen: on("file", "upload")),
            Parameter("fileContent", .string, "Content", default: "", showWhen: on("file", "upload")),
            Parameter("binaryPropertyName", .string, "File field", default: "data", required: true, showWhen: on("file", "upload", "download")),
            Parameter("fileKey", .string, "File key", default: "", required: true, showWhen: on("file", "download", "delete")),
            Parameter("folderName", .string, "Folder name", default: "", required: true, showWhen: on("folder", "create")),
            Parameter("folderKey", .string, "Folder key", default: "", required: true, showWhen: on("folder", "delete")),
            Parameter(
                "additionalFields", .collection, "Further fields", default: .init([:]),
                fields: [
                    Parameter("acl", .string, "ACL"), Parameter("parentFolderKey", .string, "Parent folder"),
                    Parameter("storageClass", .string, "Storage class"),
                    Parameter("prefix", .string, "Prefix"), Parameter("delimiter", .string, "Delimiter")
                ]),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [Parameter("folderKey", .string, "Folder key"), Parameter("versionId", .string, "Version")])
        ]
        for place in named { all.append(Parameter("bucketName", .string, "Bucket", default: "", required: true, showWhen: place)) }
        for place in listed {
            all.append(Parameter("returnAll", .boolean, "Return all", default: false, showWhen: place))
            all.append(Parameter("limit", .number, "Limit", default: 100, showWhen: place.merging(["returnAll": [false]]) { $1 }))
        }
        return all
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let client = try await S3Client(step)
        let resource = try await step.text("resource", default: "file")
        let fallback = resource == "file" ? "download" : "create"
        let operation = try await step.text("operation", default: fallback)
        return .items([
            try await step.eachItem { index, item in
                switch resource {
                case "bucket": return try await bucket(step, client, operation, index)
                case "folder": return try await folder(step, client, operation, index)
                default: return try await file(step, client, operation, item, index)
                }
            }
        ])
    }

    private func limit(_ step: StepContext, _ index: Int) async throws -> Int? {
        if try await step.flag("returnAll", item: index) { return nil }
        return Int(max(1, min(try await step.number("limit", item: index) ?? 100, 1e6)))
    }

    private func bucket(_ step: StepContext, _ client: S3Client, _ operation: String, _ index: Int) async throws -> [Item] {
        switch operation {
        case "create":
            try await client.send("PUT", bucket: step.text("name", item: index))
            return [Item(json: ["success": true])]
        case "delete":
            try await client.send("DELETE", bucket: step.text("name", item: index))
            return [Item(json: ["success": true])]
        case "getAll":
            let page = try await client.document(client.send("GET", bucket: "").body)
            let buckets = page.child("Buckets")?.children("Bucket").map(\.flat) ?? []
            let most = try await limit(step, index) ?? buckets.count
            return buckets.prefix(most).map { Item(json: $0) }
        case "search":
            let prefix = try await step.text("additionalFields.prefix", item: index)
            let delimiter = try await step.text("additionalFields.delimiter", item: index)
            return try await client.list(
                bucket: step.text("bucketName", item: index), prefix: prefix, delimiter: delimiter, limit: limit(step, index)
            )
            .map { Item(json: $0) }
        default: throw StepFailure.invalid("operation", "'\(operation)' is no operation on buckets.", item: index)
        }
    }

    private func folder(_ step: StepContext, _ client: S3Client, _ operation: String, _ index: Int) async throws -> [Item] {
        let bucket = try await step.text("bucketName", item: index)
        switch operation {
        case "create":
            let parent = try await step.text("additionalFields.parentFolderKey", item: index)
            let name = try await step.text("folderName", item: index)
            let path = (parent.isEmpty ? "" : Self.folder(parent)) + Self.folder(name)
            try await client.send("PUT", bucket: bucket, key: path)
            return [Item(json: ["success": true])]
        case "delete":
            let key = Self.folder(try await step.text("folderKey", item: index))
            guard key != "/" else {
                throw StepFailure.invalid("folderKey", "A folder is needed: without one the whole bucket would be deleted.", item: index)
            }
            let keys = try await client.list(bucket: bucket, prefix: key, limit: nil).compactMap { $0["Key"]?.text }
            for one in keys { try await client.send("DELETE", bucket: bucket, key: one) }
            return [Item(json: ["deleted": .array(keys.map { ["Key": .string($0)] })])]
        case "getAll":
            let parent = try await step.text("options.folderKey", item: index)
            let found = try await client.list(bucket: bucket, prefix: parent, limit: nil).filter { entry in
                entry["Key"]?.text?.hasSuffix("/") == true && entry["Size"] == "0" && entry["Key"]?.text != parent
            }
            return found.prefix(try await limit(step, index) ?? found.count).map { Item(json: $0) }
        default: throw StepFailure.invalid("operation", "'\(operation)' is no operation on folders.", item: index)
        }
    }

    private static func folder(_ key: String) -> String { key.hasSuffix("/") ? key : key + "/" }

    private func file(_ step: StepContext, _ client: S3Client, _ operation: String, _ item: Item, _ index: Int) async throws -> [Item] {
        func text(_ name: String) async throws -> String { try await step.text(name, item: index) }
        switch operation {
        case "upload":
            try await upload(step, client, item, index)
            return [Item(json: ["success": true])]
        case "download":
            let key = try await text("fileKey")
            guard !key.hasSuffix("/") else {
                throw StepFailure.invalid("fileKey", "Downloading a whole directory is not yet supported, please provide a file key", item: index)
            }
            let response = try await client.send("GET", bucket: text("bucketName"), key: key)
            let name = key.split(separator: "/").last.map(String.init) ?? key
            var made = item
            made.pairedItem = nil
            made.binary[try await step.text("binaryPropertyName", item: index, default: "data")] = try await step.store(
                response.body, name: name, type: response.header("Content-Type"))
            return [made]
        case "delete":
            let version = try await text("options.versionId")
            try await client.send(
                "DELETE", bucket: text("bucketName"), key: text("fileKey"), query: version.isEmpty ? [] : [(name: "versionId", value: version)])
            return [Item(json: ["success": true])]
        case "copy":
            let target = try await text("destinationPath").split(separator: "/", maxSplits: 1).map(String.init)
            guard target.count == 2 else { throw StepFailure.invalid("destinationPath", "The destination is /bucket/file.", item: index) }
            let source = try await "/" + text("sourcePath").drop { $0 == "/" }
            let response = try await client.send(
                "PUT", bucket: target[0], key: target[1],
                headers: [(name: "x-amz-copy-source", value: RequestSigner.escaped(source, keepingSlashes: true))])
            return [Item(json: try await client.document(response.body).flat)]
        case "getAll":
            let parent = try await text("options.folderKey")
            let found = try await client.list(bucket: text("bucketName"), prefix: parent, limit: nil).filter { entry in
                entry["Key"]?.text?.hasSuffix("/") != true && entry["Size"] != "0"
            }
            return found.prefix(try await limit(step, index) ?? found.count).map { Item(json: $0) }
        default: throw StepFailure.invalid("operation", "'\(operation)' is no operation on files.", item: index)
        }
    }

    private func upload(_ step: StepContext, _ client: S3Client, _ item: Item, _ index: Int) async throws {
        func text(_ name: String) async throws -> String { try await step.text(name, item: index) }
        var name = try await text("fileName")
        let parent = try await text("additionalFields.parentFolderKey")
        var headers: [(name: String, value: String)] = []
        let acl = try await text("additionalFields.acl")
        if !acl.isEmpty { headers.append(("x-amz-acl", Self.dashed(acl))) }
        let storage = try await text("additionalFields.storageClass")
        if !storage.isEmpty { headers.append(("x-amz-storage-class", Self.snaked(storage).uppercased())) }
        let bytes: [UInt8]
        if try await step.value("binaryData", item: index) != .bool(false) {
            let file = try step.attachment(try await step.text("binaryPropertyName", item: index, default: "data"), of: item, at: index)
            bytes = try await step.services.readBinary(file)
            headers.append(("Content-Type", file.mimeType))
            if name.isEmpty { name = file.fileName ?? "" }
        } else {
            bytes = Array(try await text("fileContent").utf8)
            headers.append(("Content-Type", "text/html"))
        }
        guard !name.isEmpty else { throw StepFailure.invalid("fileName", "The file needs a name.", item: index) }
        try await client.send(
            "PUT", bucket: text("bucketName"), key: (parent.isEmpty ? "" : Self.folder(parent)) + name, headers: headers, body: bytes)
    }

    /// `publicRead` → `public-read`
    private static func dashed(_ name: String) -> String { name.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined() }
    /// `standardIA` → `standard_IA`
    private static func snaked(_ name: String) -> String {
        var out = ""
        for character in name {
            if character.isUppercase, let last = out.last, last.isLowercase { out += "_" }
            out.append(character)
        }
        return out
    }
}
