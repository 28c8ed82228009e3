internal import Kernel
internal import Telemetry
internal import Tracing

/// The span of a run while this process has it in hand: below the request that started it, above its steps. Where the run waits or its process
/// dies, another span of the same trace goes on, with a link to the first.
package struct RunTrace: Sendable {
    private let span: RecordedSpan

    /// Of a run that starts; nil where nothing is traced.
    static func begin(_ facts: RunFacts) -> RunTrace? {
        guard let tracer = Traces.tracer else { return nil }
        return RunTrace(facts, tracer.startSpan("run", context: ServiceContext.current ?? .topLevel, ofKind: .internal))
    }

    /// Of a run that is taken up again.
    static func resume(_ facts: RunFacts, _ kept: (RunID, TenantID) async -> String?) async -> RunTrace? {
        guard let tracer = Traces.tracer else { return nil }
        let before = await kept(facts.id, facts.tenant).flatMap(SpanIdentity.init(traceparent:))
        let trace = RunTrace(facts, tracer.startSpan("run resumed", context: .of(before), ofKind: .internal))
        if before != nil { trace.span.addLink(SpanLink(context: .of(before), attributes: [:])) }
        return trace
    }

    private init(_ facts: RunFacts, _ span: RecordedSpan) {
        self.span = span
        span.attributes = [
            "aias.run.id": .string(facts.id.description), "aias.workflow.id": .string(facts.workflow.description),
            "aias.workflow.version": .int64(Int64(facts.version)), "aias.run.mode": .string(facts.mode),
            "aias.tenant.id": .string(facts.tenant.description)
        ]
    }

    /// Under which the run is known to other processes, and to this one later.
    package var traceparent: String { span.identity.traceparent }

    func end(_ status: RunStatus) {
        span.attributes["aias.run.status"] = status.rawValue
        if status == .failed || status == .uncertain { span.setStatus(SpanStatus(code: .error)) }
        span.end()
    }

    /// One attempt of a step; what it sends to the outside is below its span.
    static func step(_ request: StepRequest, kind: String, node: String, of run: RunFacts, _ body: () async -> StepRunner.Report) async
        -> StepRunner.Report
    {
        guard let trace = run.trace, let tracer = Traces.tracer else { return await body() }
        let span = tracer.startSpan("step \(kind)", context: trace.span.context, ofKind: .internal)
        span.attributes = [
            "aias.node.kind": .string(kind), "aias.node.name": .string(node), "aias.step.run_index": .int64(Int64(request.step.runIndex)),
            "aias.step.attempt": .int64(Int64(request.attempt))
        ]
        let report = await ServiceContext.withValue(span.context) { await body() }
        span.attributes["aias.step.outcome"] = report.outcome
        if report.outcome == "failed" { span.setStatus(SpanStatus(code: .error)) }
        span.end()
        return report
    }
}

extension RunFacts {
    /// With a span of its own, where anything is traced.
    var traced: RunFacts {
        var copy = self
        copy.trace = RunTrace.begin(self)
        return copy
    }
}

extension StepRunner.Report {
    /// `succeeded`, `failed`, `waiting` or `called`, as the figures count it.
    var outcome: String {
        switch event {
        case .stepFinished(let finish): finish.failure == nil ? "succeeded" : "failed"
        case .stepFailed: "failed"
        case .stepWaiting: "waiting"
        case .stepCalled: "called"
        default: "other"
        }
    }
}
