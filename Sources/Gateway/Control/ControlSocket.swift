internal import Foundation
internal import Glibc
package import Kernel
package import Logging
internal import ServiceLifecycle

/// How the command talks to the process that owns a data folder: one JSON line there, one back, over a socket in the folder (mode 600).
package struct ControlSocket: Service {
    package typealias Handler = @Sendable (_ command: String, _ arguments: JSON) async throws -> JSON

    static let lineBytesMaximum = 32 << 20
    private let path: String
    private let logger: Logger
    private let handler: Handler

    package init(path: String, logger: Logger, handler: @escaping Handler) {
        self.path = path
        self.logger = logger
        self.handler = handler
    }

    package func run() async throws {
        unlink(path)
        let listener = try UnixSocket.listen(path)
        chmod(path, 0o600)
        let thread = Thread { [self] in
            while let connection = UnixSocket.accept(listener) {
                // One request a connection, so that a thread each is no burden.
                Thread.detachNewThread { self.serve(connection) }
            }
        }
        thread.name = "control"
        thread.start()
        try? await gracefulShutdown()
        shutdown(listener, CInt(SHUT_RDWR))
        close(listener)
        unlink(path)
    }

    private func serve(_ connection: CInt) {
        defer { close(connection) }
        guard let line = UnixSocket.readLine(connection, limit: Self.lineBytesMaximum), let request = try? JSON(parsing: line) else { return }
        let done = DispatchSemaphore(value: 0)
        let answer = Box()
        let handler = handler
        let logger = logger
        Task.detached {
            do {
                let result = try await handler(request["command"]?.text ?? "", request["arguments"] ?? [:])
                answer.set(["result": result])
            } catch let refusal as Refusal {
                let faults: [JSON] = refusal.faults.map { ["field": .string($0.field), "message": .string($0.message)] }
                answer.set(["error": .string(refusal.message), "code": .string(refusal.code), "faults": .array(faults)])
            } catch {
                logger.error("a command failed", metadata: ["error": "\(error)"])
                answer.set(["error": "The server could not do this; its log says why.", "code": "internal"])
            }
            done.signal()
        }
        done.wait()
        UnixSocket.write(connection, answer.get().bytes + [UInt8(ascii: "\n")])
    }

    /// Asks the owner of a folder.
    /// - Throws: the refusal it answers; `unavailable` where nobody listens.
    package static func ask(_ path: String, _ command: String, _ arguments: JSON) throws -> JSON {
        guard let connection = UnixSocket.connect(path) else {
            throw Refusal(.unavailable, "no_server", "The data folder is in use, but its owner does not answer at \(path).")
        }
        defer { close(connection) }
        UnixSocket.write(connection, (["command": .string(command), "arguments": arguments] as JSON).bytes + [UInt8(ascii: "\n")])
        guard let line = UnixSocket.readLine(connection, limit: lineBytesMaximum), let answer = try? JSON(parsing: line) else {
            throw Refusal(.unavailable, "no_answer", "The server closed the connection without an answer; its log says why.")
        }
        if let result = answer["result"] { return result }
        let faults = (answer["faults"]?.array ?? []).map {
            Refusal.Fault(field: $0["field"]?.text ?? "", code: "", message: $0["message"]?.text ?? "")
        }
        throw Refusal(.invalid, answer["code"]?.text ?? "refused", answer["error"]?.text ?? "refused", faults: faults)
    }

    private final class Box: @unchecked Sendable {
        private let lock = NSLock()
        private var value: JSON = .null
        func set(_ new: JSON) { lock.withLock { value = new } }
        func get() -> JSON { lock.withLock { value } }
    }
}

/// Stream sockets of the local machine.
private enum UnixSocket {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func listen(_ path: String) throws -> CInt {
        guard path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
            throw Failure(description: "the path \(path) is too long for a socket, which may have 107 bytes: name a data folder with a shorter one")
        }
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard let bound = withAddress(path, { bind(descriptor, $0, $1) == 0 }), bound, Glibc.listen(descriptor, 16) == 0 else {
            close(descriptor)
            throw Failure(description: "the control socket \(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    /// The next connection. Where descriptors or memory have run out it is waited for: those that use them up are clients, who leave again.
    /// - Returns: nil where nothing is listened to any more.
    static func accept(_ listener: CInt) -> CInt? {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            if connection >= 0 { return connection }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: usleep(pauseMicroseconds)
            default: return nil
            }
        }
    }

    private static let pauseMicroseconds: UInt32 = 100_000

    static func connect(_ path: String) -> CInt? {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard let connected = withAddress(path, { Glibc.connect(descriptor, $0, $1) == 0 }), connected else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Nil where the path does not fit an address (107 bytes).
    private static func withAddress<Result>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    static func readLine(_ descriptor: CInt, limit: Int) -> [UInt8]? {
        var line: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while line.count < limit {
            let count = read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return nil }
            line.append(contentsOf: part[..<count])
            if part[..<count].contains(UInt8(ascii: "\n")) { return line.split(separator: UInt8(ascii: "\n")).first.map(Array.init) }
        }
        return nil
    }

    static func write(_ descriptor: CInt, _ bytes: [UInt8]) {
        var place = 0
        while place < bytes.count {
            let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress! + place, bytes.count - place, CInt(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            place += count
        }
    }
}
