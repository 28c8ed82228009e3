internal import Foundation
internal import Kernel

/// What was last pulled or pushed, of each server that a folder was used with: kept in `.aias/`, which Git does not track.
struct TreeState: Sendable {
    private static let folder = ".aias"
    private static let file = "state.json"

    /// The hash of each file as it was on the server then, by path.
    var files: [String: String] = [:]
    /// The hash of each variable's value, by name.
    var variables: [String: String] = [:]
    /// The id of each file's workflow or data table.
    var ids: [String: String] = [:]
    /// False where this folder, as a fresh clone, never met that server: nothing is known of it then.
    var isKnown = false

    /// - Parameter place: which server and tenant.
    static func load(_ root: String, place: String) -> TreeState {
        guard let data = FileManager.default.contents(atPath: "\(root)/\(folder)/\(file)"), let all = try? JSON(parsing: [UInt8](data)),
            let own = all[place]
        else { return TreeState() }
        func texts(_ key: String) -> [String: String] {
            Dictionary((own[key]?.object ?? [:]).compactMap { member in member.value.text.map { (member.key, $0) } }) { first, _ in first }
        }
        return TreeState(files: texts("files"), variables: texts("variables"), ids: texts("ids"), isKnown: true)
    }

    func save(_ root: String, place: String) throws {
        let folder = "\(root)/\(Self.folder)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("*\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/.gitignore"))
        let path = "\(folder)/\(Self.file)"
        var all = FileManager.default.contents(atPath: path).flatMap { try? JSON(parsing: [UInt8]($0)) }?.object ?? [:]
        func json(_ texts: [String: String]) -> JSON { .object(JSONObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })) }
        all[place] = ["files": json(files), "variables": json(variables), "ids": json(ids)]
        try Data(TreeText.write(.object(all)).utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
