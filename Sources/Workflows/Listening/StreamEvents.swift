internal import Kernel

/// One event of a stream of server-sent events.
struct StreamEvent: Sendable, Hashable {
    /// `message` where the server names none.
    var type: String
    var data: String
    /// Its own id; nil where it carries none.
    var id: String?
}

/// Reads a stream of server-sent events (WHATWG HTML, 9.2.6) as its bytes come.
struct StreamEvents: Sendable {
    /// Of one line, and of one event's data.
    static let bytesMaximum = 1 << 20

    /// Named by the last event that carried one; sent back as `Last-Event-ID`.
    private(set) var lastID: String
    /// What the server asks to wait before the next connection.
    private(set) var retry: Duration?

    private var line: [UInt8] = []
    private var endedWithReturn = false
    private var isFirstLine = true
    private var type = ""
    private var data: [String] = []
    private var dataBytes = 0
    private var id: String?

    init(lastID: String) { self.lastID = lastID }

    /// - Throws: `event_too_large`.
    mutating func take(_ bytes: [UInt8]) throws -> [StreamEvent] {
        var events: [StreamEvent] = []
        for byte in bytes {
            defer { endedWithReturn = byte == 0x0D }
            if byte == 0x0A, endedWithReturn { continue }
            guard byte == 0x0A || byte == 0x0D else {
                line.append(byte)
                guard line.count + dataBytes <= Self.bytesMaximum else {
                    throw StepFailure("event_too_large", "The server sent an event of more than \(Self.bytesMaximum >> 20) MB.", isRetryable: false)
                }
                continue
            }
            if let event = endLine() { events.append(event) }
        }
        return events
    }

    /// What was begun belongs to the connection that ended.
    /// - Parameter id: of the last event that was dealt with.
    mutating func restart(after id: String) { self = StreamEvents(lastID: id, retry: retry) }

    private init(lastID: String, retry: Duration?) {
        self.lastID = lastID
        self.retry = retry
    }

    private mutating func endLine() -> StreamEvent? {
        var bytes = line[...]
        line = []
        if isFirstLine, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        isFirstLine = false
        guard !bytes.isEmpty else { return dispatch() }
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        let field = String(decoding: bytes[..<(colon ?? bytes.endIndex)], as: UTF8.self)
        var value = colon.map { bytes[($0 + 1)...] } ?? []
        if value.first == 0x20 { value = value.dropFirst() }
        let text = String(decoding: value, as: UTF8.self)
        switch field {
        case "event": type = text
        case "data":
            data.append(text)
            dataBytes += value.count + 1
        case "id": if !value.contains(0) { id = text }
        case "retry": if !value.isEmpty, value.count <= 9, let milliseconds = Int(text), milliseconds >= 0 { retry = .milliseconds(milliseconds) }
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> StreamEvent? {
        defer { (type, data, dataBytes, id) = ("", [], 0, nil) }
        if let id { lastID = id }
        guard !data.isEmpty else { return nil }
        return StreamEvent(type: type.isEmpty ? "message" : type, data: data.joined(separator: "\n"), id: id)
    }
}
