package import Kernel

package enum FolderTag {}
package typealias FolderID = ID<FolderTag>

/// Where workflows lie: a folder, or one within it, and no deeper.
package struct Folder: Sendable, Hashable {
    package var id: FolderID
    /// `Sales`, or `Sales/Leads`: unique within the tenant, whatever the case.
    package var path: String
    package var createdAt: Timestamp

    package var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    package var parentPath: String? { path.split(separator: "/").count > 1 ? path.split(separator: "/").first.map(String.init) : nil }
    package var isTop: Bool { parentPath == nil }

    func isWithin(_ other: Folder) -> Bool { id == other.id || path.lowercased().hasPrefix(other.path.lowercased() + "/") }

    static let nameLengths = 1...60

    /// - Throws: `bad_name`
    static func checkedName(_ text: String) throws -> String {
        let name = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let isPlain = !name.contains("/") && !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard nameLengths.contains(name.count), isPlain else {
            throw Refusal.invalid("name", "bad_name", "A name has 1 to 60 printable characters and no slash.")
        }
        return name
    }
}

package enum LabelTag {}
package typealias LabelID = ID<LabelTag>

/// A coloured word that workflows are marked with.
package struct Label: Sendable, Hashable {
    package enum Colour: String, Sendable, Hashable, CaseIterable { case grey, blue, green, amber, red, violet }

    package var id: LabelID
    package var name: String
    package var colour: Colour
}

/// Where each workflow of a tenant lies, and what it is marked with.
package struct Arrangement: Sendable, Hashable {
    package var folders: [FolderID: Folder] = [:]
    package var tags: [LabelID: Label] = [:]
    package var places: [WorkflowID: FolderID] = [:]
    package var marks: [WorkflowID: [LabelID]] = [:]

    package func folder(of id: WorkflowID) -> Folder? { places[id].flatMap { folders[$0] } }
    package func tags(of id: WorkflowID) -> [Label] {
        (marks[id] ?? []).compactMap { tags[$0] }.sorted { $0.name.lowercased() < $1.name.lowercased() }
    }
    package var sortedFolders: [Folder] { folders.values.sorted { $0.path.lowercased() < $1.path.lowercased() } }
    package var sortedTags: [Label] { tags.values.sorted { $0.name.lowercased() < $1.name.lowercased() } }
}

extension Limits {
    package static let foldersPerTenant = 500
    package static let tagsPerTenant = 200
    package static let tagsPerWorkflow = 20
    /// Workflows that are moved at once.
    package static let workflowsMoved = 500
}
