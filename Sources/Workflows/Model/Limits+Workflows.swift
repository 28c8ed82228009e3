package import Kernel

/// What a workflow document may hold. A document above a limit is refused as a whole, with its faults listed.
extension Limits {
    package static let nodesPerWorkflow = 2_000
    /// Edges that leave one node.
    package static let connectionsPerNode = 1_000
    /// In characters, for workflows, nodes, credentials and variables alike.
    package static let nameLength = 200
    package static let nodeIDLength = 100
    /// One node's `config` as compact JSON.
    package static let nodeConfigBytes = 512 << 10
    package static let notesLength = 20_000
    /// The whole document as compact JSON, with pinned data and origin.
    package static let documentBytes = 8 << 20
    package static let retryAttempts = 2...20
    /// Between two attempts of a step: at most 7 days.
    package static let retryWaitMilliseconds = 0...604_800_000
    /// Runs of one workflow, or of one key of it, at once.
    package static let concurrency = 1...1_000
    /// In characters, of a value that runs are counted by.
    package static let concurrencyKeyLength = 200
    /// A step's attempt may take at most a day.
    package static let stepTimeoutSeconds = 1...86_400
    /// Faults of a document, or notes of one kind on an import, that are told at once.
    package static let faultsListed = 500
    /// Outputs or inputs of a node are counted below this.
    package static let portsPerNode = 256
    /// A run may take at most 30 days.
    package static let runTimeoutSeconds = 1...2_592_000
}
