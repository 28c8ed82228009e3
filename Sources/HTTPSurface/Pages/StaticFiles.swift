internal import Crypto
internal import Foundation
package import Kernel

/// The files of Web/, read once at start and served below `/assets/` from memory.
/// Addresses made by `url` and `moduleURL` carry a hash and are cached for a year; others are asked for again by their ETag. Texts are sent
/// packed by gzip to whoever takes it.
package struct StaticFiles: Sendable {
    struct File: Sendable {
        let bytes: [UInt8]
        /// The same packed; nil where that is not smaller.
        let packed: [UInt8]?
        let contentType: String
        /// The first 16 hex digits of the content's SHA-256.
        let hash: String
    }

    private let files: [String: File]
    /// Of all files together.
    private let treeHash: String

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
                let bytes = Array(data)
                files[name] = File(
                    bytes: bytes, packed: StaticFiles.isText(type) ? Gzip.pack(bytes) : nil, contentType: type, hash: StaticFiles.hash(bytes))
            }
        }
        self.files = files
        treeHash = StaticFiles.hash(files.sorted { $0.key < $1.key }.flatMap { Array("\($0.key) \($0.value.hash) ".utf8) })
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// The address of a file, `/assets/styles/base.css?v=…`.
    package func url(_ path: String) -> String {
        guard let file = files[path] else { return "/assets/\(path)" }
        return "/assets/\(path)?v=\(file.hash)"
    }

    /// The address of a script, `/assets/@…/editor/main.js`: what it imports by a relative path carries the same hash, that of all files.
    package func moduleURL(_ path: String) -> String {
        files[path] == nil ? "/assets/\(path)" : "/assets/@\(treeHash)/\(path)"
    }

    /// The scripts that a script needs before it runs, itself left out: those it imports, and those they import. What is imported on demand
    /// is not among them.
    package func modules(neededBy path: String) -> [String] {
        var found: [String] = []
        var open = [path]
        while let next = open.popLast() {
            for one in imports(of: next) where one != path && !found.contains(one) {
                found.append(one)
                open.append(one)
            }
        }
        return found
    }

    private func imports(of path: String) -> [String] {
        guard let file = files[path], path.hasSuffix(".js") else { return [] }
        let folder = path.split(separator: "/").dropLast().map(String.init)
        return String(decoding: file.bytes, as: UTF8.self).matches(of: #/(?m)^(?:import|export)\b[^;"'(]*["'](\.[^"']*)["']/#).compactMap { match in
            var parts = folder
            for part in match.1.split(separator: "/") where part != "." {
                if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
            }
            let name = parts.joined(separator: "/")
            return files[name] == nil ? nil : name
        }
    }

    package var paths: [String] { files.keys.sorted() }

    package var endpoint: Endpoint {
        .raw(
            .get, "/assets/{path*}", access: .public("Styles and scripts are the same for everybody."), summary: "A file of the console",
            tag: "Pages", answers: nil
        ) { call in
            try self.answer(
                try call.parameter("path"), version: call.queryPairs.first { $0.name == "v" }?.value, known: call.header("If-None-Match"),
                accepted: call.header("Accept-Encoding"))
        }.undocumented
    }

    func answer(_ path: String, version: String?, known: String?, accepted: String? = nil) throws -> Answer {
        let (tree, name) = StaticFiles.parts(of: path)
        guard let file = files[name] else { throw Problem.notFound }
        let packed = StaticFiles.takesGzip(accepted) ? file.packed : nil
        // Another tag for other bytes, as RFC 9110 (8.8.3) asks.
        let tag = packed == nil ? "\"\(file.hash)\"" : "\"\(file.hash)-gzip\""
        let isVersioned = version == file.hash || tree == treeHash
        var headers = [(name: "ETag", value: tag), (name: "Cache-Control", value: isVersioned ? "public, max-age=31536000, immutable" : "no-cache")]
        if file.packed != nil { headers.append((name: "Vary", value: "Accept-Encoding")) }
        let isKnown = known?.split(separator: ",").contains { $0.drop { $0 == " " || $0 == "W" || $0 == "/" } == tag } ?? false
        if isKnown { return Answer(status: 304, headers: headers) }
        if packed != nil { headers.append((name: "Content-Encoding", value: "gzip")) }
        return Answer(contentType: file.contentType, headers: headers, body: .bytes(packed ?? file.bytes))
    }

    /// `@hash/editor/main.js` in its two parts.
    private static func parts(of path: String) -> (tree: String?, name: String) {
        guard path.hasPrefix("@"), let slash = path.firstIndex(of: "/") else { return (nil, path) }
        return (String(path[path.index(after: path.startIndex)..<slash]), String(path[path.index(after: slash)...]))
    }

    /// Whether an `Accept-Encoding` takes gzip (RFC 9110, 12.5.3); without one, nothing is packed.
    static func takesGzip(_ accepted: String?) -> Bool {
        var weights: [String: Double] = [:]
        for part in (accepted ?? "").lowercased().split(separator: ",") {
            let fields = part.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            guard let coding = fields.first else { continue }
            weights[coding] = fields.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
        }
        return (weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? 0) > 0
    }

    private static func isText(_ type: String) -> Bool {
        type.hasPrefix("text/") || type == "application/json" || type == "image/svg+xml"
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
        Endpoint(self, isDocumented: false)
    }
}

extension Limits {
    /// Bytes of one file of the console.
    package static let staticFileBytes = 8 << 20
}
