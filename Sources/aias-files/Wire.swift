internal import Glibc
internal import Kernel

/// One request and one answer over the socket: a length of four bytes (big endian), that many bytes of JSON, then the bytes of the
/// files that its `files` list names, one after the other.
enum Wire {
    static let descriptor: Int32 = 3
    /// Exit status where the walls could not be raised.
    static let wallsMissing: Int32 = 71

    struct File {
        var name: String
        var bytes: [UInt8]
    }

    struct Message {
        var head: JSONObject
        var files: [File] = []

        func text(_ name: String) -> String { head[name]?.text ?? "" }
        func flag(_ name: String) -> Bool { head[name]?.boolean ?? false }
        /// The file that the request is about.
        func file() throws -> [UInt8] {
            guard let first = files.first else { throw Fault("bad_request", "no file was given") }
            return first.bytes
        }
    }

    /// Reads the request, answers it and leaves: with what was made, or with `{fault, message}`.
    static func answer(_ body: (Message) throws -> Message) -> Never {
        do {
            send(try body(try receive()))
        } catch let fault as Fault {
            send(Message(head: ["fault": .string(fault.code), "message": .string(fault.message)]))
        } catch {
            send(Message(head: ["fault": "unreadable_file", "message": .string("\(error)")]))
        }
        exit(0)
    }

    private static func receive() throws -> Message {
        let length = try read(count: 4).reduce(0) { $0 << 8 | Int($1) }
        guard let head = try JSON(parsing: read(count: length)).object else { throw Fault("bad_request", "the request is no object") }
        var files: [File] = []
        for file in head["files"]?.array ?? [] {
            files.append(File(name: file["name"]?.text ?? "", bytes: try read(count: file["bytes"]?.integer ?? 0)))
        }
        return Message(head: head, files: files)
    }

    private static func send(_ message: Message) {
        var head = message.head
        head["files"] = .array(message.files.map { ["name": .string($0.name), "bytes": .number(Double($0.bytes.count))] })
        let json = JSON.object(head).bytes
        let length = (0..<4).map { UInt8(truncatingIfNeeded: json.count >> (24 - 8 * $0)) }
        write(length + json)
        for file in message.files { write(file.bytes) }
    }

    private static func read(count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, count - filled) }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw Fault("bad_request", "the request ended early") }
            filled += got
        }
        return bytes
    }

    private static func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + sent, bytes.count - sent) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { exit(1) }
            sent += count
        }
    }
}

/// Why a file cannot be read or made.
struct Fault: Error {
    let code: String
    let message: String
    init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }
}
