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
        if let id { lines += "id: \(id.filter { !Self.isBreak($0) })\n" }
        if let name { lines += "event: \(name.filter { !Self.isBreak($0) })\n" }
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: Self.isBreak) { lines += "data: \(line)\n" }
        return lines + "\n"
    }

    /// The breaks of a stream's lines (WHATWG HTML, 9.2.5). Unicode has more of them, which may stand in JSON as they are: a line begun at one of those
    /// would come out as another text.
    private static func isBreak(_ character: Character) -> Bool { character == "\n" || character == "\r" || character == "\r\n" }
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
