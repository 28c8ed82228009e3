import Foundation
import Kernel

/// What the libraries behind n8n's nodes gave in Node.js: see Reference/README.md.
enum Reference {
    static func json(_ name: String) throws -> JSON {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Reference")
        return try JSON(parsing: try Data(contentsOf: folder.appending(path: name + ".json")))
    }
}
