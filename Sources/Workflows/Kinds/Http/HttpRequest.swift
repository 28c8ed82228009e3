internal import Kernel

/// Sends a request for each item and gives out what comes back.
struct HttpRequest: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "http_request", version: 4.2, category: .action, title: "HTTP request", summary: "Sends a request to a web address.",
                icon: "globe", parameters: HttpRequestParameters.all,
                credentials: ["httpBasicAuth", "httpHeaderAuth", "httpBearerAuth", "httpQueryAuth", "httpCustomAuth"], effect: .keyed,
                n8nTypes: ["n8n-nodes-base.httpRequest"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if try await step.parameter("options.proxy", item: 0)?.isTruthy == true {
            throw StepFailure.invalid("options.proxy", "Requests through a proxy of the node are not supported.")
        }
        let authentication = try await HttpAuthentication(step)
        let batch = try await HttpBatch(step)
        var out: [Item] = []
        var start = 0
        while start < step.items.count {
            let end = min(start + batch.size, step.items.count)
            for (index, result) in await results(step, authentication, start..<end) {
                switch result {
                case .success(let items): out += items.map { $0.paired(with: index) }
                case .failure(let error): out.append(try step.failed(error, at: index))
                }
            }
            start = end
            if batch.wait > .zero, start < step.items.count { try await Task.sleep(for: batch.wait) }
        }
        return .items([out])
    }

    /// The requests of a batch run side by side; their results come in the items' order.
    private func results(
        _ step: StepContext, _ authentication: HttpAuthentication, _ range: Range<Int>
    ) async -> [(Int, Result<[Item], any Error>)] {
        await withTaskGroup(of: (Int, Result<[Item], any Error>).self) { group in
            for index in range {
                group.addTask {
                    do { return (index, .success(try await items(step, authentication, index))) } catch { return (index, .failure(error)) }
                }
            }
            var results: [(Int, Result<[Item], any Error>)] = []
            for await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }
        }
    }

    private func items(_ step: StepContext, _ authentication: HttpAuthentication, _ index: Int) async throws -> [Item] {
        let options = try await HttpOptions(step, item: index)
        let call =
            step.version < 3
            ? try await LegacyHttpCall(step: step, item: index).call() : try await HttpCallReader(step: step, item: index).call()
        let sender = HttpSender(step: step, options: options)
        @Sendable func send(_ call: HttpCall, page: Int) async throws -> HttpAnswer {
            var call = call
            authentication.apply(to: &call)
            if !["GET", "HEAD", "OPTIONS"].contains(call.method), !call.hasHeader("Idempotency-Key") {
                call.setHeader("Idempotency-Key", "\(step.idempotencyKey)-\(index)" + (page == 0 ? "" : "-\(page)"))
            }
            return HttpAnswer(response: try await sender.send(call.outbound(options)), options: options)
        }
        if let pagination = HttpPagination(step, item: index) { return try await pagination.items(call) { try await send($0, page: $1) } }
        let answer = try await send(call, page: 0)
        try answer.check()
        return try await answer.items(step.services)
    }
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
