internal import Kernel
internal import Outbound
internal import Synchronization

/// Starts for each event that a server sends. The listener holds the connection; started by hand it waits for one event.
struct EventTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: Listener.kind, category: .trigger, title: "Server-sent events", summary: "Starts when a server sends an event.", icon: "rss",
                parameters: [
                    Parameter(
                        "url", .string, "URL", help: "Events without a name start the workflow, one run each.", default: "", required: true)
                ], inputs: .fixed([]), effect: .repeatable, n8nTypes: ["n8n-nodes-base.sseTrigger"])
        ]
    }

    /// How long a run by hand waits for an event.
    static let patience: Duration = .seconds(60)

    func run(_ step: StepContext) async throws -> StepOutcome {
        if step.mode != "manual" || step.items.contains(where: { !$0.json.isEmpty }) { return .items([step.startItems]) }
        let found = Mutex<StreamEvent?>(nil)
        var request = try EventTrigger.request(await step.text("url"), lastID: "")
        request.timeout = Self.patience
        request.intake = .init(isWanted: EventTrigger.isStream) { _, pieces in
            var events = StreamEvents(lastID: "")
            for try await piece in pieces {
                guard let first = try events.take(piece).first(where: { $0.type == "message" }) else { continue }
                found.withLock { $0 = first }
                return
            }
        }
        let response = try await step.services.send(request)
        guard let event = found.withLock({ $0 }) else { throw EventTrigger.failure(response) }
        return .items([[EventTrigger.item(event)]])
    }

    /// - Throws: `invalid_parameter`.
    static func request(_ url: String, lastID: String) throws -> OutboundRequest {
        let url = url.filter { !$0.isWhitespace }
        guard (try? OutboundURL(url)) != nil else { throw StepFailure.invalid("url", "Name the URL of a server that sends events.") }
        var request = OutboundRequest(
            url: url, headers: [("Accept", "text/event-stream"), ("Cache-Control", "no-store"), ("User-Agent", "AIAS")], maximumRedirects: 5,
            maximumResponseBytes: 64 << 10)
        // As UTF-8, which headers carry only without control characters.
        if !lastID.isEmpty, lastID.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) { request.headers.append(("Last-Event-ID", lastID)) }
        return request
    }

    @Sendable static func isStream(_ response: OutboundResponse) -> Bool {
        response.status == 200 && (response.header("content-type") ?? "").lowercased().hasPrefix("text/event-stream")
    }

    static func failure(_ response: OutboundResponse) -> StepFailure {
        guard !isStream(response) else { return StepFailure("no_event", "The server ended the stream without an event.") }
        guard response.status == 200 else { return StepFailure("http_error", "The server answered with status \(response.status).") }
        let type = response.header("content-type") ?? "no type"
        return StepFailure("no_event_stream", "The server sends \(type.prefix(100)), not text/event-stream.", isRetryable: false)
    }

    /// The object that an event's data is; other data as `data`.
    static func item(_ event: StreamEvent) -> Item {
        let value = (try? JSON(parsing: Array(event.data.utf8))) ?? .string(event.data)
        return Item(json: value.object ?? ["data": value])
    }
}
