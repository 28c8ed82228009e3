/// Bounds of the sandbox; a tenant's plan may lower the times, nothing raises the sizes.
package struct SandboxLimits: Sendable {
    /// Processes at one time; further callers wait.
    package var workers = 4
    /// Processes with Python at one time, beside those with JavaScript; no more than `workers`.
    package var pythonWorkers = 2
    /// Processes at one time for scripts that ask the outside and wait for it, beside all others: however slow it is, nobody else's work waits.
    package var askingWorkers = 8
    /// Requests that one process answers before it is replaced.
    package var usesPerWorker = 500
    /// Requests of one tenant in a row while other tenants wait for a process.
    package var usesInTurn = 32
    /// Callers that may wait; the next one is refused.
    package var waiting = 10_000
    /// A process without work ends after this.
    package var idle: Duration = .seconds(4)
    /// For all blocks of one `evaluate`.
    package var evaluation: Duration = .seconds(5)
    /// How long after the time limit the process may still stop by itself before it is killed.
    package var grace: Duration = .milliseconds(500)
    /// From starting a process to its first frame.
    package var start: Duration = .seconds(10)
    /// Resident memory of a process, of which the engine itself takes some 40 MB.
    package var residentBytes = 384 << 20
    /// JSON bytes of one request with all items it fetches, each.
    package var inputBytes = 48 << 20
    /// JSON bytes of one answer.
    package var outputBytes = 32 << 20
    /// Lines kept of `console.log`, and bytes of one line.
    package var logLines = 1_000
    package var logLineBytes = 8 << 10

    package init() {}
}
