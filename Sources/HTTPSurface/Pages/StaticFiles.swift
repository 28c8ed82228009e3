internal import Crypto
internal import Foundation
package import Kernel

/// The files of Web/, read once at start and served below `/assets/` from memory.
/// Addresses made by `url` carry the content's hash and are cached for a year; others are asked for again by their ETag.
package struct StaticFiles: Sendable {
    struct File: Sendable {
        let bytes: [UInt8]
        let contentType: String
        /// The first 16 hex digits of the content's SHA-256.
        let hash: String
    }

    private let files: [String: File]

    /// - Parameter roots: folders; where two hold the same path, the earlier one counts.
    /// - Throws: where a folder cannot be read or a file passes `Limits.staticFileBytes`.
    package init(roots: [String]) throws {
        var files: [String: File] = [:]
        for root in roots {
            guard let names = FileManager.default.enumerator(atPath: root) else { throw CocoaError(.fileReadNoSuchFile) }
            for case let name as String in names where files[name] == nil {
                guard let type = StaticFiles.contentType(of: name), !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else {
                    continue
                }
                let data = try Data(contentsOf: URL(fileURLWithPath: root).appendingPathComponent(name))
                guard data.count <= Limits.staticFileBytes else { throw CocoaError(.fileReadTooLarge) }
                let hash = SHA256.hash(data: data).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                files[name] = File(bytes: Array(data), contentType: type, hash: hash)
            }
        }
        self.files = files
    }

    /// The address of a file, `/assets/styles/base.css?v=…`.
    package func url(_ path: String) -> String {
        guard let file = files[path] else { return "/assets/\(path)" }
        return "/assets/\(path)?v=\(file.hash)"
    }

    package var paths: [String] { files.keys.sorted() }

    package var endpoint: Endpoint {
        .raw(
            .get, "/assets/{path*}", access: .public("Styles and scripts are the same for everybody."), summary: "A file of the console",
            tag: "Pages", answers: nil
        ) { call in
            try self.answer(try call.parameter("path"), version: call.queryPairs.first { $0.name == "v" }?.value, known: call.header("If-None-Match"))
        }.undocumented
    }

    func answer(_ path: String, version: String?, known: String?) throws -> Answer {
        guard let file = files[path] else { throw Problem.notFound }
        let tag = "\"\(file.hash)\""
        let caching = version == file.hash ? "public, max-age=31536000, immutable" : "no-cache"
        let headers = [(name: "ETag", value: tag), (name: "Cache-Control", value: caching)]
        let isKnown = known?.split(separator: ",").contains { $0.drop { $0 == " " || $0 == "W" || $0 == "/" } == tag } ?? false
        if isKnown { return Answer(status: 304, headers: headers) }
        return Answer(contentType: file.contentType, headers: headers, body: .bytes(file.bytes))
    }

    /// Nil for kinds of files that are not served.
    static func contentType(of path: String) -> String? {
        guard let dot = path.lastIndex(of: ".") else { return nil }
        return switch path[path.index(after: dot)...].lowercased() {
        case "css": "text/css; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "webp": "image/webp"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        case "txt": "text/plain; charset=utf-8"
        case "webmanifest": "application/manifest+json"
        default: nil
        }
    }
}

extension Endpoint {
    /// The same endpoint, left out of the OpenAPI document.
    package var undocumented: Endpoint {
        var copy = self
        copy.isDocumented = false
        return copy
    }
}

extension Limits {
    /// Bytes of one file of the console.
    package static let staticFileBytes = 8 << 20
}
