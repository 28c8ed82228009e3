import Kernel
import Outbound
import Synchronization
import Testing

@testable import Workflows

/// How the HTTP request node waits: short waits are slept, long ones are timers over which nothing answered is sent again.
@Suite(.timeLimit(.minutes(4))) struct HttpWaitTests {
    /// Answers by path: the statuses in turn, the last one for ever.
    private func harness(_ plan: [String: [(Int, String?)]]) -> KindsHarness {
        let turns = Mutex<[String: Int]>([:])
        var harness = KindsHarness()
        harness.network = { request in
            let path = "/" + request.url.split(separator: "/")[2...].joined(separator: "/")
            let turn = turns.withLock { turns in
                defer { turns[path, default: 0] += 1 }
                return turns[path, default: 0]
            }
            let steps = plan[path] ?? [(200, nil)]
            let (status, wait) = steps[min(turn, steps.count - 1)]
            var headers = [(name: "Content-Type", value: "application/json")]
            if let wait { headers.append((name: "Retry-After", value: wait)) }
            return OutboundResponse(status: status, headers: headers, body: Array("{\"path\":\"\(path)\"}".utf8), url: request.url)
        }
        return harness
    }

    private func node(_ options: JSON = [:], onError: WorkflowNode.OnError = .stop) -> WorkflowNode {
        .make("http_request", 4.2, ["url": "=http://a.test/{{ $json.id }}", "options": options], onError: onError)
    }

    private func until(_ outcome: StepOutcome) -> Duration? {
        guard case .wait(let until) = outcome else { return nil }
        return until - KindsHarness.now
    }

    private func paths(_ harness: KindsHarness) -> [String] { harness.log.all.map { String($0.url.split(separator: "/").last!) }.sorted() }

    @Test func `a long Retry-After is a timer, and what was answered is not sent again`() async throws {
        let harness = harness(["/b": [(429, "600"), (200, nil)]])
        let input = [items(["id": "a"], ["id": "b"], ["id": "c"])]
        let (waiting, state) = try await harness.keepingRun(node(), inputs: input)
        let wait = try #require(until(waiting))
        #expect(wait >= .seconds(600) && wait < .seconds(660))
        #expect(paths(harness) == ["a", "b", "c"])
        let (done, left) = try await harness.keepingRun(node(), inputs: input, resume: .timer, state: JSON(parsing: state.bytes))
        guard case .items(let outputs) = done else { throw StepFailure("waits", "It still waits.") }
        #expect(outputs[0].map { $0.json["path"] } == ["/a", "/b", "/c"])
        #expect(outputs[0].map { $0.pairedItem?.first?.item } == [0, 1, 2])
        #expect(paths(harness) == ["a", "b", "b", "c"])
        #expect(left == .null)
    }

    @Test func `attempts are counted over timers`() async throws {
        let harness = harness(["/a": [(503, "60")]])
        let input = [items(["id": "a"])]
        var (outcome, state) = try await harness.keepingRun(node(), inputs: input)
        for _ in 1..<KindLimits.retryAfterAttempts - 1 {
            #expect(until(outcome) != nil)
            (outcome, state) = try await harness.keepingRun(node(), inputs: input, resume: .timer, state: state)
        }
        let last = state
        await #expect(throws: StepFailure.self) { try await harness.keepingRun(node(), inputs: input, resume: .timer, state: last) }
        #expect(harness.log.all.count == KindLimits.retryAfterAttempts)
    }

    @Test func `a Retry-After of more than a day fails, and says so`() async throws {
        let harness = harness(["/a": [(429, "90000")]])
        let failure = await #expect(throws: StepFailure.self) { try await harness.items(node(), inputs: [items(["id": "a"])]) }
        #expect(failure?.code == "retry_after_too_long" && failure?.message.contains("90000 seconds") == true && failure?.isRetryable == false)
        let answered = try await harness.node(node(["response": ["response": ["neverError": true]]]), inputs: [items(["id": "a"])])
        #expect(answered[0] == [["path": "/a"]])
    }

    @Test func `a date in Retry-After is read`() async throws {
        let harness = harness(["/a": [(503, "Tue, 10 Mar 2026 12:02:00 GMT")]])
        let (waiting, _) = try await harness.keepingRun(node(), inputs: [items(["id": "a"])])
        let wait = try #require(until(waiting))
        #expect(wait > .seconds(115) && wait < .seconds(125))
    }

    @Test func `retries wait twice as long each time, the long ones by timer`() async throws {
        let harness = harness(["/a": [(500, nil)]])
        let retry: JSON = ["retry": ["maxTries": 4, "waitBetweenTries": 6_000]]
        let input = [items(["id": "a"])]
        var state = JSON.null
        var waits: [Duration] = []
        for turn in 0..<3 {
            let (outcome, left) = try await harness.keepingRun(node(retry), inputs: input, resume: turn == 0 ? nil : .timer, state: state)
            waits.append(try #require(until(outcome)))
            state = left
        }
        #expect(zip(waits, [6, 12, 24]).allSatisfy { $0 >= .seconds($1) && $0 < .seconds($1 + 60) })
        let last = state
        let failure = await #expect(throws: StepFailure.self) {
            try await harness.keepingRun(node(retry), inputs: input, resume: .timer, state: last)
        }
        #expect(failure?.code == "http_error" && harness.log.all.count == 4)
    }

    @Test func `short waits are slept through`() async throws {
        let harness = harness(["/a": [(500, nil), (500, nil), (200, nil)]])
        let given = try await harness.node(node(["retry": ["maxTries": 3, "waitBetweenTries": 1]]), inputs: [items(["id": "a"])])
        #expect(given[0] == [["path": "/a"]] && harness.log.all.count == 3)
    }

    @Test func `the time between batches is a timer where it is long`() async throws {
        let harness = harness([:])
        let batches: JSON = ["batching": ["batch": ["batchSize": 2, "batchInterval": 20_000]]]
        let input = [items(["id": "a"], ["id": "b"], ["id": "c"])]
        let (waiting, state) = try await harness.keepingRun(node(batches), inputs: input)
        let wait = try #require(until(waiting))
        #expect(wait >= .seconds(20) && paths(harness) == ["a", "b"])
        let (done, _) = try await harness.keepingRun(node(batches), inputs: input, resume: .timer, state: state)
        guard case .items(let outputs) = done else { throw StepFailure("waits", "It still waits.") }
        #expect(outputs[0].count == 3 && paths(harness) == ["a", "b", "c"])
    }

    @Test func `pages that were read before a wait are not read again`() async throws {
        let plan: [String: [(Int, String?)]] = ["/p?page=2": [(429, "300"), (200, nil)]]
        let harness = harness(plan)
        let pagination: JSON = [
            "pagination": [
                "pagination": [
                    "parameters": ["parameters": [["name": "page", "value": "={{ $pageCount + 1 }}"]]], "limitPagesFetched": true, "maxRequests": 3
                ]
            ]
        ]
        let input = [items(["id": "p"])]
        let (waiting, state) = try await harness.keepingRun(node(pagination), inputs: input)
        #expect(until(waiting) != nil)
        let (done, _) = try await harness.keepingRun(node(pagination), inputs: input, resume: .timer, state: state)
        guard case .items(let outputs) = done else { throw StepFailure("waits", "It still waits.") }
        #expect(outputs[0].map { $0.json["path"] } == ["/p?page=1", "/p?page=2", "/p?page=3"])
        #expect(paths(harness) == ["p?page=1", "p?page=2", "p?page=2", "p?page=3"])
    }

    @Test func `failed items keep their place where the node goes on`() async throws {
        let harness = harness(["/a": [(404, nil)], "/b": [(429, "60"), (200, nil)]])
        let input = [items(["id": "a"], ["id": "b"])]
        let (_, state) = try await harness.keepingRun(node(onError: .continueRegular), inputs: input)
        let (done, _) = try await harness.keepingRun(node(onError: .continueRegular), inputs: input, resume: .timer, state: state)
        guard case .items(let outputs) = done else { throw StepFailure("waits", "It still waits.") }
        #expect(outputs[0][0].error?["code"] == "http_error" && outputs[0][1].json["path"] == "/b")
        #expect(paths(harness) == ["a", "b", "b"])
    }
}
