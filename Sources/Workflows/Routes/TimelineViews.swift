internal import HTTPSurface
internal import Kernel

struct TimelineSpanView: Codable, Sendable, Described {
    var phase: String
    var cause: String?
    var from: Timestamp
    var to: Timestamp?
    var until: Timestamp?
    static let notes: [FieldNote] = [
        FieldNote("phase", "queued, waiting or working."),
        FieldNote(
            "cause", "What held it up: limit, priority, turn, retry, timer, person, call, workflow, pause or decision."),
        FieldNote("to", "Left out while it goes on.", format: "date-time"),
        FieldNote("until", "When the wait ends at the latest, where that is known.", format: "date-time")
    ]
}

struct AttemptView: Codable, Sendable, Described {
    var node: String
    var kind: String
    var runIndex: Int
    var attempt: Int
    var outcome: String
    var spans: [TimelineSpanView]
    static let notes: [FieldNote] = [
        FieldNote(
            "outcome", "succeeded, failed, cancelled, uncertain, kept (of the run that was replayed), or how it stands: queued, waiting, working.")
    ]

    init(_ attempt: RunTimeline.Attempt) {
        node = attempt.node
        kind = attempt.kind
        runIndex = attempt.runIndex
        self.attempt = attempt.attempt
        outcome = attempt.outcome
        spans = attempt.spans.map {
            TimelineSpanView(phase: $0.phase.rawValue, cause: $0.cause?.rawValue, from: $0.from, to: $0.to, until: $0.until)
        }
    }
}

struct OutwardRepeatView: Codable, Sendable, Described {
    var node: String
    var kind: String
    var runIndex: Int
    var carriesKey: Bool
    var keepsKey: Bool
    static let notes: [FieldNote] = [
        FieldNote("carriesKey", "Whether its request names an idempotency key."),
        FieldNote("keepsKey", "Whether a retry names the same key, so that a service that remembers keys does nothing twice.")
    ]

    init(_ step: RunTimeline.Repeat) {
        node = step.node
        kind = step.kind
        runIndex = step.runIndex
        carriesKey = step.carriesKey
        keepsKey = step.keepsKey
    }
}
