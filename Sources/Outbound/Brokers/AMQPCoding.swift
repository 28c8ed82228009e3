/// Writes and reads the fields of AMQP 0-9-1 (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, 4.2): numbers in network order, short texts with
/// one byte of length, long ones with four.
struct AMQPWriter {
    private(set) var bytes: [UInt8] = []

    mutating func number<Number: FixedWidthInteger>(_ value: Number) { withUnsafeBytes(of: value.bigEndian) { bytes += $0 } }

    /// Cut at 255 bytes, which names and addresses do not have.
    mutating func short(_ text: String) {
        let text = text.utf8.prefix(255)
        bytes.append(UInt8(text.count))
        bytes += text
    }

    mutating func long(_ text: [UInt8]) {
        number(UInt32(text.count))
        bytes += text
    }

    /// Values are texts and numbers alone.
    mutating func table(_ fields: [(name: String, value: AMQPValue)]) {
        var inner = AMQPWriter()
        for (name, value) in fields {
            inner.short(name)
            switch value {
            case .text(let text):
                inner.bytes.append(UInt8(ascii: "S"))
                inner.long(Array(text.utf8))
            case .number(let number):
                inner.bytes.append(UInt8(ascii: "I"))
                inner.number(number)
            }
        }
        long(inner.bytes)
    }
}

enum AMQPValue: Sendable {
    case text(String)
    case number(Int32)
}

struct AMQPReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// - Throws: `AMQPError` where there are too few bytes, as all of these.
    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws -> Number {
        try take(MemoryLayout<Number>.size).reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    mutating func short() throws -> String {
        let count: UInt8 = try number()
        return String(decoding: try take(Int(count)), as: UTF8.self)
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw AMQPError.malformed }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}

/// What a method is called by: its class and its number.
struct AMQPMethod: Sendable, Hashable {
    let group: UInt16
    let number: UInt16

    private init(_ group: UInt16, _ number: UInt16) {
        self.group = group
        self.number = number
    }

    init(_ reader: inout AMQPReader) throws { self.init(try reader.number(), try reader.number()) }

    static let start = AMQPMethod(10, 10), startOK = AMQPMethod(10, 11), tune = AMQPMethod(10, 30), tuneOK = AMQPMethod(10, 31)
    static let open = AMQPMethod(10, 40), openOK = AMQPMethod(10, 41), close = AMQPMethod(10, 50)
    static let channelOpen = AMQPMethod(20, 10), channelOpenOK = AMQPMethod(20, 11), channelClose = AMQPMethod(20, 40)
    static let declareExchange = AMQPMethod(40, 10), declareExchangeOK = AMQPMethod(40, 11)
    static let declareQueue = AMQPMethod(50, 10), declareQueueOK = AMQPMethod(50, 11), bind = AMQPMethod(50, 20), bindOK = AMQPMethod(50, 21)
    static let limit = AMQPMethod(60, 10), limitOK = AMQPMethod(60, 11), consume = AMQPMethod(60, 20), consumeOK = AMQPMethod(60, 21)
    static let cancel = AMQPMethod(60, 30), publish = AMQPMethod(60, 40), deliver = AMQPMethod(60, 60), acknowledge = AMQPMethod(60, 80)
    static let confirm = AMQPMethod(85, 10), confirmOK = AMQPMethod(85, 11)
}
