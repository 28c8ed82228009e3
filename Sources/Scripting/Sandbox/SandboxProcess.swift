internal import Glibc
internal import Kernel
internal import Telemetry

/// One running `aias-sandbox` and the socket to it. Used by one thread at a time; `kill` may be called from any.
final class SandboxProcess: Sendable {
    enum Fault: Error, Hashable {
        /// It could not be started, or is not what it should be.
        case start(String)
        /// It ended: by its own code, or by a signal (negative).
        case ended(status: Int32)
        case late
        case malformed(String)
    }

    let pid: pid_t
    private let descriptor: Int32
    let hello: JSON

    /// Starts the program with nothing but the socket, an empty environment and /dev/null.
    init(program: String, engine: SandboxEngine = .javaScript, limits: SandboxLimits) throws(Fault) {
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw .start("no socket pair: errno \(errno)")
        }
        defer { close(pair[1]) }
        descriptor = pair[0]
        do throws(Fault) {
            pid = try SandboxProcess.spawn(program, engine.arguments(limits), socket: pair[1])
        } catch {
            close(pair[0])
            throw error
        }
        do throws(Fault) {
            let frame = try SandboxProcess.receive(descriptor, deadline: .now + limits.start)
            guard frame.kind == .hello, let hello = try? JSON(parsing: frame.payload) else { throw .malformed("no hello") }
            self.hello = hello
            Metrics.shared.count(.sandboxStarts)
            Metrics.shared.add(.sandboxWorkers, 1)
        } catch {
            let status = SandboxProcess.end(pid)
            close(descriptor)
            if case .malformed = error { throw error }
            throw .start("\(program) ended before its first frame (status \(status))")
        }
    }

    deinit {
        Metrics.shared.add(.sandboxWorkers, -1)
        _ = SandboxProcess.end(pid)
        close(descriptor)
    }

    /// Why scripts may not run in it, nil when its walls stand.
    var refusal: String? {
        guard hello["suffice"]?.boolean != true else { return nil }
        if let refusal = hello["refusal"]?.text { return refusal }
        let missing = (hello["missing"]?.array ?? []).compactMap(\.text)
        return "missing: \(missing.joined(separator: ", "))"
    }

    /// Ends it; the thread that waits for its answer sees `ended`. It stays a zombie until the last reference goes.
    func kill() {
        Metrics.shared.count(.sandboxKills)
        Glibc.kill(pid, SIGKILL)
    }

    func send(_ frame: [UInt8], deadline: ContinuousClock.Instant) throws(Fault) {
        var sent = 0
        while sent < frame.count {
            let count = frame.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, frame.count - sent, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 { sent += count; continue }
            switch errno {
            case EINTR: continue
            case EAGAIN: try SandboxProcess.wait(descriptor, for: POLLOUT, deadline: deadline)
            default: throw ended()
            }
        }
    }

    func receive(deadline: ContinuousClock.Instant) throws(Fault) -> (kind: SandboxWire.Kind, payload: [UInt8]) {
        do throws(Fault) { return try SandboxProcess.receive(descriptor, deadline: deadline) } catch {
            if case .ended = error { throw ended() }
            throw error
        }
    }

    /// How it ended; to be called when its socket is closed.
    private func ended() -> Fault {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        let status = info._sifields._sigchld.si_status
        return .ended(status: info.si_code == Int32(CLD_EXITED) ? status : -status)
    }

    private static func receive(_ descriptor: Int32, deadline: ContinuousClock.Instant) throws(Fault) -> (kind: SandboxWire.Kind, payload: [UInt8]) {
        let header = try read(descriptor, count: SandboxWire.headerBytes, deadline: deadline)
        let length = header[..<4].reduce(0) { $0 << 8 | Int($1) } - 2
        guard header[4] == SandboxWire.version else { throw .malformed("version \(header[4])") }
        guard let kind = SandboxWire.Kind(rawValue: header[5]), length >= 0, length <= SandboxWire.payloadBytesMaximum else {
            throw .malformed("kind \(header[5]), \(length) bytes")
        }
        return (kind, try read(descriptor, count: length, deadline: deadline))
    }

    private static func read(_ descriptor: Int32, count: Int, deadline: ContinuousClock.Instant) throws(Fault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + filled, count - filled, Int32(MSG_DONTWAIT)) }
            if got > 0 { filled += got; continue }
            if got == 0 { throw .ended(status: 0) }
            switch errno {
            case EINTR: continue
            case EAGAIN: try wait(descriptor, for: POLLIN, deadline: deadline)
            default: throw .ended(status: 0)
            }
        }
        return bytes
    }

    private static func wait(_ descriptor: Int32, for events: Int32, deadline: ContinuousClock.Instant) throws(Fault) {
        let left = (deadline - .now).microseconds / 1_000 + 1
        guard left > 0 else { throw .late }
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        let count = poll(&entry, 1, Int32(min(left, 3_600_000)))
        if count == 0 { throw .late }
    }

    private static func end(_ pid: pid_t) -> Int32 {
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }
}
