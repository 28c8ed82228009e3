internal import Kernel
internal import Outbound
internal import Synchronization

/// Sends a request for each item and gives out what comes back.
struct HttpRequest: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "http_request", version: 4.2, category: .action, title: "HTTP request", summary: "Sends a request to a web address.",
                icon: "globe", parameters: HttpRequestParameters.all,
                credentials: HttpAuthentication.genericTypes + [HttpAuthentication.certificateType], effect: .keyed,
                n8nTypes: ["n8n-nodes-base.httpRequest"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let work = HttpWork(step: step, patience: HttpPatience(step.now), authentication: try await HttpAuthentication(step))
        let batch = try await HttpBatch(step)
        var progress = HttpProgress(step.state, run: step.runIndex) ?? HttpProgress()
        while progress.next < step.items.count {
            let range = progress.next..<min(progress.next + batch.size, step.items.count)
            var until = try await work.send(range, &progress)
            if until == nil {
                progress.next = range.upperBound
                if batch.wait > .zero, progress.next < step.items.count { until = try await work.patience.end(of: batch.wait) }
            }
            if let until {
                step.services.setState(progress.state(run: step.runIndex))
                return .wait(until: until)
            }
        }
        if step.state["http"] != nil { step.services.setState(.null) }
        return .items([progress.items])
    }
}

/// Sends the requests of a step's items.
struct HttpWork: Sendable {
    let step: StepContext
    let patience: HttpPatience
    let authentication: HttpAuthentication

    /// Sends what of a batch has not been answered, side by side.
    /// - Returns: when to go on, where a request has to wait.
    /// - Throws: the first failure in the items' order, where the node stops on errors.
    func send(_ range: Range<Int>, _ progress: inout HttpProgress) async throws -> Timestamp? {
        var until: Timestamp?
        for (index, result) in await results(progress.open(in: range), progress) {
            do {
                let place = [PairedItem(item: index)]
                progress.finish(
                    index,
                    try result.get().map { item in
                        var item = item
                        item.pairedItem = place
                        return item
                    })
            } catch let pause as HttpPause {
                progress.pause(index, at: pause.place)
                until = max(until ?? pause.until, pause.until)
            } catch {
                var item = try step.failed(error, at: index)
                if let shown = HttpFault.shown(error) { item.json["error"] = shown }
                progress.finish(index, [item])
            }
        }
        return until
    }

    private func results(_ indices: [Int], _ progress: HttpProgress) async -> [(Int, Result<[Item], any Error>)] {
        await withTaskGroup(of: (Int, Result<[Item], any Error>).self) { group in
            for index in indices {
                let place = progress.places[index] ?? .init()
                group.addTask {
                    do { return (index, .success(try await items(index, from: place))) } catch { return (index, .failure(error)) }
                }
            }
            var results: [(Int, Result<[Item], any Error>)] = []
            for await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }
        }
    }

    private func items(_ index: Int, from place: HttpProgress.Place) async throws -> [Item] {
        let options = try await HttpOptions(step, item: index)
        let call =
            step.version < 3
            ? try await LegacyHttpCall(step: step, item: index).call() : try await HttpCallReader(step: step, item: index).call()
        let sender = HttpSender(step: step, options: options, patience: patience, authentication: authentication)
        @Sendable func send(_ call: HttpCall, page: Int, after ended: Int) async throws -> HttpAnswer {
            var call = call
            authentication.apply(to: &call)
            if !["GET", "HEAD", "OPTIONS"].contains(call.method), !call.hasHeader("Idempotency-Key") {
                call.setHeader("Idempotency-Key", step.idempotencyKey(item: index) + (page == 0 ? "" : "-\(page)"))
            }
            var request = call.outbound(options)
            try authentication.apply(to: &request)
            let kept = KeptFile()
            request.intake = HttpAnswer.intake(options, step.services) { file in kept.file.withLock { $0 = file } }
            let response = try await sender.send(request, after: ended)
            return HttpAnswer(response: response, options: options, kept: kept.file.withLock { $0 })
        }
        if let pagination = HttpPagination(step, item: index, patience: patience) {
            return try await pagination.items(call, from: place) { try await send($0, page: $1, after: $2) }
        }
        let answer = try await send(call, page: 0, after: place.attempts)
        try answer.check()
        return try await answer.items(step.services, given: step.items.indices.contains(index) ? step.items[index] : nil)
    }
}

/// The file that an answer became on its way.
private final class KeptFile: Sendable {
    let file = Mutex<BinaryReference?>(nil)
}

/// How many requests run side by side, and the time between two groups of them.
struct HttpBatch: Sendable {
    let size: Int
    let wait: Duration

    init(_ step: StepContext) async throws {
        let path = step.version < 3 ? "options." : "options.batching.batch."
        let isSet = step.rawParameter(step.version < 3 ? "options.batchSize" : "options.batching.batch") != nil
        guard isSet else { size = KindLimits.requestsSideBySide; wait = .zero; return }
        let wanted = try await step.parameter(path + "batchSize", item: 0)?.coercedNumber ?? 50
        size = wanted >= 1 ? Int(min(wanted, Double(KindLimits.requestsSideBySide))) : KindLimits.requestsSideBySide
        let milliseconds = try await step.parameter(path + "batchInterval", item: 0)?.coercedNumber ?? 1_000
        wait = .milliseconds(Int64(min(max(milliseconds.isNaN ? 0 : milliseconds, 0), 60_000)))
    }
}
