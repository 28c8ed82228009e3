package import Kernel

/// What a workflow document may hold. A document above a limit is refused as a whole, with every fault listed.
extension Limits {
    package static let nodesPerWorkflow = 500
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
    package static let retryAttempts = 2...10
    /// Between two attempts of a step.
    package static let retryWaitMilliseconds = 0...3_600_000
    /// Outputs or inputs of a node are counted below this.
    package static let portsPerNode = 256
    /// A run may take at most 30 days.
    package static let runTimeoutSeconds = 1...2_592_000
}
