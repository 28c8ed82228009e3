internal import HTTPSurface
internal import Kernel

struct DiskFileView: Codable, Sendable {
    var id: DiskFileID
    /// Begins with a slash.
    var path: String
    var byteCount: Int
    var mediaType: String
    var createdAt: Timestamp
    var updatedAt: Timestamp

    init(_ file: DiskFile) {
        id = file.id
        path = file.path.shown
        byteCount = file.byteCount
        mediaType = file.mediaType
        createdAt = file.createdAt
        updatedAt = file.updatedAt
    }
}

struct DiskListQuery: Codable, Sendable, Described {
    var folder: String?
    static let notes: [FieldNote] = [
        FieldNote("folder", "Only what lies in this folder and below; the whole disk where it is left out.", example: "/data", length: 0...1024)
    ]
}

struct DiskUploadQuery: Codable, Sendable, Described {
    var path: String
    static let notes: [FieldNote] = [
        FieldNote("path", "Where the file goes; one that is there is replaced.", example: "/data/in/report.csv", length: 1...1024)
    ]
}

struct DiskMoveBody: Codable, Sendable, Described {
    var path: String
    static let notes: [FieldNote] = [FieldNote("path", "Where the file goes.", example: "/data/done/report.csv", length: 1...1024)]
}

/// The files of the tenant's disk, for programs.
struct DiskRoutes {
    let disk: Disk
    private static let tag = "Files"

    var endpoints: [Endpoint] {
        let clashes = [
            ErrorDeclaration(.conflict, "not_a_folder", "A folder of the path is a file."),
            ErrorDeclaration(.conflict, "is_a_folder", "The path is a folder that holds files.")
        ]
        let badPath = ErrorDeclaration(.invalid, "bad_path", "The path names no file of the disk.")
        let full = ErrorDeclaration(.limitReached, "limit_reached", "The plan's bytes are used up.")
        return [
            Endpoint.list(
                "/v1/files", access: .tenant(.filesRead), summary: "List the files of the disk", description: "By path, with all folders within.",
                tag: Self.tag, query: DiskListQuery.self, of: DiskFileView.self, errors: [badPath]
            ) { call, page in
                let last = try page.cursor.map { try Cursor($0, keys: 1).text(at: 0) } ?? ""
                let folder = try call.query(DiskListQuery.self).folder ?? ""
                let files = try await disk.files(below: folder, after: last, limit: page.limit + 1, by: call.principal)
                return Page(files.map(DiskFileView.init), limit: page.limit) { Cursor([.string(String($0.path.dropFirst()))]) }
            },
            Endpoint.raw(
                .put, "/v1/files", access: .tenant(.filesWrite), summary: "Write a file",
                description: "The body is the file itself, at most 16 MiB. Its media type follows from its name, then from Content-Type.",
                tag: Self.tag, query: DiskUploadQuery.self, answers: "application/json", as: DiskFileView.self, errors: clashes + [badPath, full],
                bodyLimit: Limits.diskUploadBytes
            ) { call in
                let path = try call.query(DiskUploadQuery.self).path
                let file = try await disk.put(path, call.body, type: call.header("Content-Type"), by: call.principal)
                return .json(try Wire.encode(DiskFileView(file)).bytes)
            },
            Endpoint(
                .get, "/v1/files/{id}", access: .tenant(.filesRead), summary: "Show a file", tag: Self.tag, returns: .ok(DiskFileView.self)
            ) { call in DiskFileView(try await disk.file(try Self.id(call), by: call.principal)) },
            Endpoint.raw(
                .get, "/v1/files/{id}/content", access: .tenant(.filesRead), summary: "Download a file", tag: Self.tag,
                answers: "application/octet-stream", errors: [ErrorDeclaration(.gone, "file_changed", "It was changed while it was read.")]
            ) { call in try await Self.download(try Self.id(call), disk, call) },
            Endpoint(
                .patch, "/v1/files/{id}", access: .tenant(.filesWrite), summary: "Move a file to another path", tag: Self.tag,
                body: DiskMoveBody.self,
                returns: .ok(DiskFileView.self), errors: clashes + [badPath, ErrorDeclaration(.conflict, "name_taken", "There is a file already.")]
            ) { call, body in DiskFileView(try await disk.move(try Self.id(call), to: body.path, by: call.principal)) },
            Endpoint(
                .delete, "/v1/files/{id}", access: .tenant(.filesWrite), summary: "Delete a file", tag: Self.tag, returns: .noContent
            ) { call in try await disk.delete(try Self.id(call), by: call.principal) }
        ]
    }

    static func id(_ call: EndpointCall) throws -> DiskFileID { try call.id("id", noun: "file") }

    /// As bytes of no type, so that no browser shows what somebody uploaded as a page of ours.
    static func download(_ id: DiskFileID, _ disk: Disk, _ call: EndpointCall) async throws -> Answer {
        let (file, pieces) = try await disk.open(id, by: call.principal)
        let plain = file.path.name.filter { $0.isASCII && $0 != "\"" && $0 != "\\" && !$0.isNewline }
        return Answer(
            contentType: "application/octet-stream",
            headers: [
                (
                    "Content-Disposition",
                    "attachment; filename=\"\(plain.isEmpty ? "file" : plain)\"; filename*=UTF-8''\(Percent.encode(file.path.name))"
                ),
                ("Content-Security-Policy", "sandbox"), ("Cache-Control", "no-store")
            ], body: .pieces(byteCount: file.byteCount, pieces))
    }
}
