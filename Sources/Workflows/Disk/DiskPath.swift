internal import Foundation
internal import Kernel

/// Where a file lies on a tenant's disk: names divided by slashes, `data/in/report.csv`. A disk is a table of files in the tenant's store; no path
/// leads into the file system of the machine.
package struct DiskPath: Sendable, Hashable {
    /// Without slashes at its ends, in Unicode's form C.
    package let text: String

    /// Of a file, as people and other programs write it: with or without `/` or `./` in front. A drive or a home in front is a folder like any other.
    /// - Throws: `bad_path`
    package init(_ written: String) throws {
        let names = try DiskPath.names(in: written)
        guard !names.isEmpty, written.last != "/" else { throw DiskPath.refusal(written, "names no file") }
        text = names.joined(separator: "/")
    }

    /// Of a folder; the root is empty.
    /// - Throws: `bad_path`
    static func folder(_ written: String) throws -> String { try names(in: written).joined(separator: "/") }

    /// As a row has it.
    init(stored: String) { text = stored }

    /// As workflows are told of it.
    package var shown: String { "/" + text }
    package var name: String { names.last ?? text }
    /// Empty at the root.
    package var folder: String { folders.last ?? "" }

    /// All folders above it, the outermost first: `data`, `data/in`.
    var folders: [String] {
        let names = self.names.dropLast()
        return names.indices.map { names[...$0].joined(separator: "/") }
    }

    /// By scalars: an accent at the beginning of a name would be one letter with the slash before it.
    private var names: [String] { text.unicodeScalars.split(separator: "/").map { String(String.UnicodeScalarView($0)) } }

    /// The names that a path goes through, with `.` and `..` followed.
    private static func names(in written: String) throws -> [String] {
        guard !written.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F || $0.value == 0x10FFFF }) else {
            throw refusal(written, "holds a control character")
        }
        let plain = written.replacing("\\", with: "/").precomposedStringWithCanonicalMapping
        var names: [String] = []
        for part in plain.unicodeScalars.split(separator: "/") {
            let name = String(String.UnicodeScalarView(part))
            switch name {
            case ".": continue
            case "..": guard names.popLast() != nil else { throw refusal(written, "leads out of the disk") }
            default:
                guard name.utf8.count <= Limits.diskNameBytes, !name.allSatisfy(\.isWhitespace) else {
                    throw refusal(written, "holds a name that is blank or longer than \(Limits.diskNameBytes) bytes")
                }
                names.append(name)
            }
        }
        guard names.reduce(0, { $0 + $1.utf8.count + 1 }) <= Limits.diskPathBytes + 1 else {
            throw refusal(written, "is longer than \(Limits.diskPathBytes) bytes")
        }
        return names
    }

    static func refusal(_ written: String, _ reason: String) -> Refusal {
        let shown = String(String.UnicodeScalarView(written.unicodeScalars.prefix(100).filter { $0.value >= 0x20 && $0.value != 0x7F }))
        return .invalid("path", "bad_path", "'\(shown)' \(reason); a path of the tenant's disk looks like /data/in/report.csv.")
    }
}
