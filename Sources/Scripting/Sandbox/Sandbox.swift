internal import Dispatch
package import Kernel
internal import Synchronization

/// Runs scripts in walled processes (`aias-sandbox`), each for one tenant at a time; without work there is no process. A script in Python has
/// a process to itself.
///
/// A request has a time limit, which the process keeps itself; where it does not, it is killed. Whatever happens to a process
/// ends that one request with a `ScriptError`; the next one gets a fresh process.
package final class Sandbox: ScriptRunner {
    private let program: String?
    private let limits: SandboxLimits
    private let pool: SandboxPool
    private let python: SandboxEngine
    private let pythonPool: SandboxPool
    private let askingPool: SandboxPool
    /// Requests block on the process; they do so here and not on the cooperative pool.
    private let queue = DispatchQueue(label: "sandbox.requests", attributes: .concurrent)

    /// - Parameters:
    ///   - program: the path of `aias-sandbox`; nil where there is none, then every request is refused.
    ///   - python: the shared library of Python where it is not Debian's.
    package init(
        program: String? = SandboxProgram.find(), python: String? = PythonLibrary.configured, limits: SandboxLimits = SandboxLimits()
    ) {
        self.program = program
        self.python = .python(library: python)
        self.limits = limits
        pool = SandboxPool(limits: limits)
        var once = limits
        once.usesPerWorker = 1
        once.usesInTurn = 1
        once.workers = min(limits.workers, limits.pythonWorkers)
        pythonPool = SandboxPool(limits: once)
        var asking = limits
        asking.usesInTurn = 1
        asking.workers = limits.askingWorkers
        askingPool = SandboxPool(limits: asking)
    }

    /// The processes that wait for work, for tests and figures.
    package var idlePIDs: [Int32] { pool.idlePIDs }

    package func evaluate(_ blocks: [ScriptBlock], tenant: TenantID, scope: any ExpressionScope) async throws -> [Result<
        ExpressionValue, ScriptError
    >] {
        guard !blocks.isEmpty else { return [] }
        let facts = scope.facts
        let body: JSON = [
            "blocks": .array(blocks.map { ["source": .string($0.source), "itemIndex": .number(Double($0.itemIndex))] }),
            "facts": facts.json, "limits": limits.json
        ]
        let answer = try await request(.evaluate, body, .javaScript, limit: limits.evaluation, tenant: tenant, scope: scope)
        guard let values = answer["values"]?.array, values.count == blocks.count else { throw Sandbox.broken }
        return values.map(Sandbox.value)
    }

    package func run(_ script: Script, tenant: TenantID, scope: any ExpressionScope) async throws -> ScriptResult {
        let body: JSON = [
            "source": .string(script.source), "language": .string(script.language.rawValue), "mode": .string(script.mode.rawValue),
            "staticGlobal": script.staticGlobal, "staticNode": script.staticNode, "continuesOnError": .bool(script.continuesOnError),
            "facts": scope.facts.json, "limits": limits.json
        ]
        let engine = script.language == .javaScript ? .javaScript : python
        let answer = try await request(.run, body, engine, limit: script.timeLimit, tenant: tenant, scope: scope, helper: script.helper)
        guard let items = answer["items"]?.array else { throw Sandbox.broken }
        let logs = (answer["logs"]?.array ?? []).compactMap(\.text)
        return ScriptResult(items: items, logs: logs, staticGlobal: answer["staticGlobal"], staticNode: answer["staticNode"])
    }

    private func request(
        _ kind: SandboxWire.Kind, _ body: JSON, _ engine: SandboxEngine, limit: Duration, tenant: TenantID, scope: any ExpressionScope,
        helper: ScriptHelper? = nil
    ) async throws -> JSON {
        guard let program else { throw ScriptError(.unavailable, "aias-sandbox is not installed beside aias; scripts cannot run") }
        let pool = helper != nil ? askingPool : engine == .javaScript ? pool : pythonPool
        let seat = try await pool.acquire(tenant)
        let running = Mutex<(process: SandboxProcess?, cancelled: Bool)>((nil, false))
        let desk = helper.map { _ in HelperDesk() }
        @Sendable func exchange() async -> Result<JSON, any Error> {
            await withCheckedContinuation { continuation in
                queue.async { [self] in
                    var seat = seat
                    let outcome = Result { () throws -> JSON in
                        let process = try seat.process ?? SandboxProcess(program: program, engine: engine, limits: limits)
                        seat.process = process
                        let cancelled = running.withLock { running in
                            running.process = process
                            return running.cancelled
                        }
                        if cancelled { throw CancellationError() }
                        let exchange = SandboxExchange(process: process, limits: limits, answers: ScopeAnswers(scope: scope), desk: desk)
                        return try exchange.perform(SandboxWire.request(kind, limit: limit, body), limit: limit)
                    }
                    running.withLock { $0.process = nil }
                    if case .failure = outcome { seat.process = nil }
                    pool.release(seat)
                    continuation.resume(returning: outcome)
                }
            }
        }
        let outcome: Result<JSON, any Error> = await withTaskCancellationHandler {
            guard let helper, let desk else { return await exchange() }
            async let served: Void = desk.serve(helper)
            let outcome = await exchange()
            desk.close()
            await served
            return outcome
        } onCancel: {
            running.withLock { running in
                running.cancelled = true
                running.process?.kill()
            }
        }
        try Task.checkCancellation()
        let answer = try outcome.mapError(Sandbox.told).get()
        if let fault = answer["fault"] { throw ScriptError(fault: fault) }
        return answer
    }

    private static let broken = ScriptError(.runtime, "the sandbox answered something that cannot be read")
}

extension Sandbox {
    private static func value(_ entry: JSON) -> Result<ExpressionValue, ScriptError> {
        if let fault = entry["e"] { return .failure(ScriptError(fault: fault)) }
        return .success(entry["v"].map { .json($0) } ?? .undefined)
    }

    /// A process's fault as the builder is told it.
    private static func told(_ fault: any Error) -> any Error {
        switch fault {
        case SandboxProcess.Fault.start(let reason): ScriptError(.unavailable, "scripts cannot run here: \(reason)")
        case SandboxProcess.Fault.late, SandboxProcess.Fault.ended(status: SandboxWire.exitTimeLimit):
            ScriptError(.timeLimit, "the script ran longer than its time limit and was stopped")
        case SandboxProcess.Fault.ended(status: SandboxWire.exitMemoryLimit):
            ScriptError(.memoryLimit, "the script used more memory than allowed and was stopped")
        case SandboxProcess.Fault.ended(let status):
            ScriptError(.runtime, "the script's process ended unexpectedly (\(status < 0 ? "signal \(-status)" : "status \(status)"))")
        case SandboxProcess.Fault.malformed: broken
        default: fault
        }
    }
}

extension SandboxLimits {
    /// As the prelude reads them.
    var json: JSON {
        ["outputBytes": .number(Double(outputBytes)), "logLines": .number(Double(logLines)), "logLineBytes": .number(Double(logLineBytes))]
    }
}
