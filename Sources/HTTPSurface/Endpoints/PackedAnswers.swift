internal import Kernel
internal import Synchronization

/// Answers that stay the same while the process runs, with their packed bytes.
final class PackedAnswers: Sendable {
    /// Paths whose answers are kept.
    static let pathsMaximum = 1_000

    struct Kept: Sendable {
        let plain: Answer
        /// Nil where that is not smaller.
        let packed: [UInt8]?

        init(_ answer: Answer) {
            var plain = answer
            plain.headers.append(("Vary", "Accept-Encoding"))
            self.plain = plain
            if case .bytes(let bytes) = answer.body, bytes.count <= Limits.staticFileBytes { packed = Gzip.pack(bytes) } else { packed = nil }
        }

        func answer(to call: EndpointCall) -> Answer {
            guard let packed, StaticFiles.takesGzip(call.header("Accept-Encoding")) else { return plain }
            var answer = plain
            answer.body = .bytes(packed)
            answer.headers.append(("Content-Encoding", "gzip"))
            return answer
        }
    }

    /// By the values of the path's parameters.
    private let kept = Mutex<[[String]: Kept]>([:])

    func find(_ path: [String]) -> Kept? { kept.withLock { $0[path] } }

    func keep(_ answer: Answer, of path: [String]) -> Kept {
        if let found = find(path), case .bytes(let known) = found.plain.body, case .bytes(let bytes) = answer.body, known == bytes { return found }
        let made = Kept(answer)
        kept.withLock { kept in if kept.count < Self.pathsMaximum { kept[path] = made } }
        return made
    }
}

extension Endpoint {
    /// The same endpoint, whose answers are made once for each path and packed by gzip for whoever takes it. Only for what is the same for
    /// everybody, since how small bytes can be packed tells of what is in them (RFC 7457, 2.6), and for as long as the process runs.
    package func packed() -> Endpoint {
        let answers = PackedAnswers()
        return Endpoint(self) { [handle, path] call in
            let values = try path.parameters.map { try call.parameter($0) }
            // A query may be refused.
            if call.head.rawQuery.isEmpty, let kept = answers.find(values) { return kept.answer(to: call) }
            return answers.keep(try await handle(call), of: values).answer(to: call)
        }
    }
}
