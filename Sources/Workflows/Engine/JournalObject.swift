internal import Kernel

/// A JSON object of the journal, put together as text. Each step's end is one: made of values first, it would take three times the work.
struct JournalObject {
    private var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(160)
        bytes.append(UInt8(ascii: "{"))
    }

    /// All of it, without a copy. Nothing can be added after it.
    mutating func end() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        var text: [UInt8] = []
        swap(&text, &bytes)
        return text
    }

    mutating func add(_ name: StaticString, _ value: Int) {
        begin(name)
        JSON.writeInteger(value, to: &bytes)
    }

    mutating func add(_ name: StaticString, _ time: Timestamp) { add(name, Int(time.microseconds)) }

    /// Nothing is written of nil.
    mutating func add(_ name: StaticString, _ value: JSON?) {
        guard let value else { return }
        begin(name)
        value.write(to: &bytes)
    }

    /// A list by its name, and how many items it has.
    mutating func add(_ list: ItemList, _ payloads: PayloadCoding) { add(list, as: payloads.write(list)) }

    mutating func add(_ list: ItemList, as name: JSON) {
        add("items", name)
        add("count", list.count)
    }

    /// An array of objects, and of null where there is none.
    mutating func add<Value>(_ name: StaticString, _ values: [Value?], _ write: (inout JournalObject, Value) -> Void) {
        begin(name)
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            guard let value else {
                bytes.append(contentsOf: "null".utf8)
                continue
            }
            bytes.append(UInt8(ascii: "{"))
            write(&self, value)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// - Parameter name: one that needs no escapes.
    private mutating func begin(_ name: StaticString) {
        if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: "\":".utf8)
    }
}
