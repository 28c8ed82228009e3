internal import Kernel

extension Limits {
    /// Steps of one run, so that a cycle ends.
    static let stepsPerRun = 100_000
    /// Steps of one run that execute side by side.
    static let parallelStepsPerRun = 16
    /// Items of a run's steps that ask under a key of their own, after refusals.
    static let renewedKeysPerRun = 1_000
    static let attemptsPerStep = Limits.retryAttempts.upperBound
    /// Runs that one call of another workflow may start.
    static let runsPerCall = 1_000
    /// Lines that one step may log, and the length of each.
    static let logLinesPerStep = 1_000
    static let logLineCharacters = 10_000
    /// How deep workflows may call workflows.
    static let callDepth = 20
    /// Steps that may be uncommitted while nothing has left the process.
    static let stepsPerCommit = 64
    /// Versions kept compiled.
    static let compiledWorkflows = 2_000
    static let parkedHandles = 10_000
    static let runsRecoveredAtOnce = 500
    /// Runs of a newer program that are remembered, so that they are not asked for each time.
    static let newerRunsKnown = 10_000
    /// Runs that one transaction takes up: the largest of these that there are.
    static let runsTakenAtOnce = [64, 16, 4, 1]
    /// Bytes up to which a payload lies in its journal row instead of the payload store.
    static let inlinePayloadBytes = 2_048
    /// Bytes of files that one parameter's expressions may be given in base64.
    static let fileBytesInExpressions = 8 << 20
    /// Bytes up to which a run that is under way keeps a list in memory between its steps.
    static let listBytesInMemory = 1 << 20
    /// A step that gives out more items is committed before the next one begins, so that its list can be set aside.
    static let itemsBetweenCommits = 10_000
    /// Items from which on lineage is kept as plain numbers.
    static let itemsWithPlainPlaces = 1_000
}
