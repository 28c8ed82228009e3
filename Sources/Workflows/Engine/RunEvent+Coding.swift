package import Kernel

/// How the journal keeps events: one compact JSON object for each, beside the columns that lists show. The format is numbered; a
/// program reads its own number and the one before.
enum JournalFormat {
    static let current = 2
    static let readable = 1...2
}

/// How a payload is named inside an event.
struct PayloadCoding {
    /// Keeps the list and returns how it is found again.
    var write: (ItemList) -> JSON
    var read: (_ name: JSON, _ count: Int) throws -> ItemList
}

/// An event in the journal that this program cannot read: always our own fault, or a journal from a newer program.
struct UnreadableEvent: Error { var reason: String }

extension RunEvent {
    /// The word in the journal's `kind` column.
    enum Kind: String, CaseIterable {
        case started, intended, finished, failed, edited, waiting, called, returned, fired, answered, uncertain, repeated, cancelled
        case timedOut = "timed_out"
    }

    var kind: Kind {
        switch self {
        case .started: .started
        case .stepIntended: .intended
        case .stepFinished: .finished
        case .stepFailed: .failed
        case .stepEdited: .edited
        case .stepWaiting: .waiting
        case .stepCalled: .called
        case .callReturned: .returned
        case .timerFired: .fired
        case .stepAnswered: .answered
        case .stepUncertain: .uncertain
        case .stepRepeated: .repeated
        case .cancelled: .cancelled
        case .timedOut: .timedOut
        }
    }

    /// The step it is about; nil for events of the whole run.
    var step: StepKey? {
        switch self {
        case .started, .cancelled, .timedOut: nil
        case .stepFinished(let finish): finish.step
        case .stepIntended(let step, _), .stepFailed(let step, _, _, _), .stepEdited(let step, _), .stepWaiting(let step, _, _),
            .stepCalled(let step, _, _),
            .callReturned(let step, _, _), .timerFired(let step), .stepAnswered(let step, _), .stepUncertain(let step), .stepRepeated(let step):
            step
        }
    }

    var attempt: Int {
        switch self {
        case .stepIntended(_, let attempt), .stepFailed(_, let attempt, _, _): attempt
        case .stepFinished(let finish): finish.attempt
        default: 1
        }
    }

    /// All that the columns do not hold: the text of a JSON object.
    func text(_ payloads: PayloadCoding) -> [UInt8] {
        var object = JournalObject()
        switch self {
        case .started(let trigger, let items):
            object.add("trigger", trigger)
            object.add(items, payloads)
        case .stepFinished(let finish): finish.write(to: &object, payloads)
        case .stepFailed(_, _, let failure, let at):
            object.add("failure", failure.journaled)
            object.add("at", at)
        case .stepEdited(_, let inputs):
            object.add("inputs", inputs) { input, items in input.add(items, payloads) }
        case .stepWaiting(_, let until, let state):
            object.add("until", until)
            object.add("state", state)
        case .stepCalled(_, let count, let waits):
            object.add("count", count)
            object.add("waits", .bool(waits))
        case .callReturned(_, let index, .success(let items)):
            object.add("index", index)
            object.add(items, payloads)
        case .stepAnswered(_, let items): object.add(items, payloads)
        case .callReturned(_, let index, .failure(let failure)):
            object.add("index", index)
            object.add("failure", failure.journaled)
        case .timedOut(let at): object.add("at", at)
        case .stepIntended, .timerFired, .stepUncertain, .stepRepeated, .cancelled: break
        }
        return object.end()
    }

    /// Reads an event back from its columns and data.
    init(kind: Kind, step: StepKey?, attempt: Int, data: JSON, payloads: PayloadCoding) throws {
        func number(_ key: String) throws -> Int {
            guard let value = data[key]?.integer else { throw UnreadableEvent(reason: "\(kind.rawValue) lacks \(key)") }
            return value
        }
        func time(_ key: String) throws -> Timestamp { Timestamp(microseconds: Int64(try number(key))) }
        func items() throws -> ItemList { try payloads.read(data["items"] ?? .null, number("count")) }
        func known() throws -> StepKey {
            guard let step else { throw UnreadableEvent(reason: "\(kind.rawValue) lacks its step") }
            return step
        }
        switch kind {
        case .started: self = .started(trigger: try number("trigger"), items: try items())
        case .intended: self = .stepIntended(try known(), attempt: attempt)
        case .finished: self = .stepFinished(try StepFinish(data, step: known(), attempt: attempt, payloads: payloads))
        case .failed: self = .stepFailed(try known(), attempt: attempt, StepFailure(journaled: data["failure"] ?? .null), at: try time("at"))
        case .edited:
            let inputs = try (data["inputs"]?.array ?? []).map {
                $0.isNull ? nil : try payloads.read($0["items"] ?? .null, $0["count"]?.integer ?? 0)
            }
            self = .stepEdited(try known(), inputs: inputs)
        case .waiting: self = .stepWaiting(try known(), until: try time("until"), state: data["state"])
        case .called: self = .stepCalled(try known(), count: try number("count"), waits: data["waits"]?.boolean ?? true)
        case .returned:
            let result: Result<ItemList, StepFailure> =
                if let failure = data["failure"] { .failure(StepFailure(journaled: failure)) } else { .success(try items()) }
            self = .callReturned(try known(), index: try number("index"), result)
        case .fired: self = .timerFired(try known())
        case .answered: self = .stepAnswered(try known(), try items())
        case .uncertain: self = .stepUncertain(try known())
        case .repeated: self = .stepRepeated(try known())
        case .cancelled: self = .cancelled
        case .timedOut: self = .timedOut(at: try time("at"))
        }
    }
}

extension StepFinish {
    fileprivate func write(to object: inout JournalObject, _ payloads: PayloadCoding) {
        object.add("outputs", outputs) { output, one in
            output.add(one.items, payloads)
            output.add("lineage", one.lineage.journaled)
        }
        object.add("started", startedAt)
        object.add("at", finishedAt)
        object.add("failure", failure?.journaled)
        object.add("state", state)
        object.add("static_global", staticGlobal)
        object.add("static_node", staticNode)
        object.add("marks", marks)
        object.add("answer", answer?.journaled)
        if !logs.isEmpty { object.add("logs", .array(logs.map { .string($0) })) }
    }

    fileprivate init(_ data: JSON, step: StepKey, attempt: Int, payloads: PayloadCoding) throws {
        guard let started = data["started"]?.integer, let finished = data["at"]?.integer else {
            throw UnreadableEvent(reason: "finished lacks its times")
        }
        self.init(
            step: step, attempt: attempt,
            outputs: try (data["outputs"]?.array ?? []).map { $0.isNull ? nil : try StepOutput($0, payloads: payloads) },
            failure: data["failure"].map { StepFailure(journaled: $0) }, state: data["state"], staticGlobal: data["static_global"],
            staticNode: data["static_node"], marks: data["marks"], answer: try data["answer"].map { try WebhookAnswer(journaled: $0) },
            logs: (data["logs"]?.array ?? []).compactMap(\.text), startedAt: Timestamp(microseconds: Int64(started)),
            finishedAt: Timestamp(microseconds: Int64(finished)))
    }
}

extension StepOutput {
    fileprivate init(_ json: JSON, payloads: PayloadCoding) throws {
        guard let count = json["count"]?.integer else { throw UnreadableEvent(reason: "an output lacks its count") }
        self.init(try payloads.read(json["items"] ?? .null, count), Lineage(journaled: json["lineage"], count: count))
    }
}

extension Lineage {
    /// nil: unknown; a number: item by item from that input; `[item, input, run?]`: all from that one; `{"all": [[place, …] | null, …]}`;
    /// `{"places": text, "input": number}`, see `PlaceText`.
    fileprivate var journaled: JSON? {
        switch self {
        case .unknown: nil
        case .identity(let input): .number(Double(input))
        case .one(let parent): parent.journaled
        case .places(let places, let input): ["places": .string(PlaceText.write(places)), "input": .number(Double(input))]
        case .explicit(let parents): ["all": .array(parents.map { $0.map { .array($0.map(\.journaled)) } ?? .null })]
        }
    }

    fileprivate init(journaled json: JSON?, count: Int) {
        switch json {
        case .number(let input)?: self = .identity(input: Int(input))
        case .array?: self = PairedItem(journaled: json ?? .null).map { .one($0) } ?? .unknown
        case .object(let members)? where members["places"] != nil:
            let places = members["places"]?.text.flatMap { PlaceText.read($0, count: count) }
            self = places.map { .places($0, input: members["input"]?.integer ?? 0) } ?? .unknown
        case .object(let members)?:
            self = .explicit((members["all"]?.array ?? []).map { $0.array?.compactMap { PairedItem(journaled: $0) } })
        default: self = .unknown
        }
    }
}

extension PairedItem {
    fileprivate var journaled: JSON {
        let place: [JSON] = [.number(Double(item)), .number(Double(input))]
        return .array(place + (run.map { [.number(Double($0))] } ?? []))
    }

    fileprivate init?(journaled json: JSON) {
        guard let item = json[0]?.integer, let input = json[1]?.integer else { return nil }
        self.init(item: item, input: input, run: json[2]?.integer)
    }
}

extension StepFailure {
    package var journaled: JSON {
        var members: JSONObject = ["code": .string(code), "message": .string(message), "retryable": .bool(isRetryable)]
        members["details"] = details
        members["item"] = itemIndex.map { .number(Double($0)) }
        return .object(members)
    }

    init(journaled json: JSON) {
        self.init(
            json["code"]?.text ?? "unknown", json["message"]?.text ?? "", details: json["details"], itemIndex: json["item"]?.integer,
            isRetryable: json["retryable"]?.boolean ?? true)
    }
}
