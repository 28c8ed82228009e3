internal import Kernel

/// One request to one process: the frame out, its questions answered, its result in.
struct SandboxExchange {
    let process: SandboxProcess
    let limits: SandboxLimits
    let answers: ScopeAnswers
    /// Where questions that take time are asked; nil where the script may not ask them.
    var desk: HelperDesk?

    /// The result's JSON. Time that the scope takes to answer is not the script's.
    func perform(_ request: [UInt8], limit: Duration) throws -> JSON {
        if let refusal = process.refusal { throw ScriptError(.unavailable, "scripts cannot run here: \(refusal); see aias doctor") }
        guard request.count <= limits.inputBytes else { throw tooMuchInput }
        var deadline = ContinuousClock.now + limit + limits.grace
        var fetchedBytes = request.count
        try process.send(request, deadline: deadline)
        while true {
            let (kind, payload) = try process.receive(deadline: deadline)
            switch kind {
            case .result: return try result(payload)
            case .ask:
                let started = ContinuousClock.now
                let answer = answer(try read(payload)).bytes
                fetchedBytes += answer.count
                guard fetchedBytes <= limits.inputBytes else { throw tooMuchInput }
                deadline += ContinuousClock.now - started
                try process.send(SandboxWire.frame(.answer, answer), deadline: deadline)
            default: throw SandboxProcess.Fault.malformed("kind \(kind)")
            }
        }
    }

    private func answer(_ question: JSON) -> JSON {
        guard let desk, let what = question["what"]?.text, ["http", "file"].contains(what) else { return answers.answer(question) }
        return desk.ask(question)
    }

    private func result(_ payload: [UInt8]) throws -> JSON {
        guard payload.count <= limits.outputBytes + (1 << 20) else {
            throw ScriptError(.outputLimit, "the script gave back more than \(limits.outputBytes) bytes")
        }
        return try read(payload)
    }

    private func read(_ payload: [UInt8]) throws -> JSON {
        do { return try JSON(parsing: payload) } catch {
            throw ScriptError(.runtime, "what the script gave back cannot be read: \(error)")
        }
    }

    private var tooMuchInput: ScriptError {
        ScriptError(.memoryLimit, "the script asked for more than \(limits.inputBytes) bytes of items")
    }
}
