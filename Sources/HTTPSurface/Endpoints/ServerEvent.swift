/// One server-sent event.
package struct ServerEvent: Sendable, Hashable {
    /// The sequence a reader resumes after; nil for transient events.
    package var id: String?
    package var name: String?
    package var data: String

    package init(id: String? = nil, name: String? = nil, data: String) {
        self.id = id
        self.name = name
        self.data = data
    }

    /// The event's lines; line breaks in `data` become further `data:` lines, those in `id` and `name` are dropped.
    package var text: String {
        var lines = ""
        if let id { lines += "id: \(id.filter { !$0.isNewline })\n" }
        if let name { lines += "event: \(name.filter { !$0.isNewline })\n" }
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) { lines += "data: \(line)\n" }
        return lines + "\n"
    }
}

/// A sequence of events with its type erased: it hands each event to a closure until that answers false.
package struct EventSource: Sendable {
    let forEach: @Sendable (@Sendable (ServerEvent) -> Bool) async throws -> Void

    package init<Events: AsyncSequence & Sendable>(_ events: Events) where Events.Element == ServerEvent {
        forEach = { deliver in
            for try await event in events where !deliver(event) { return }
        }
    }
}
