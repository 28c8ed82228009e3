internal import Glibc
internal import Synchronization

/// Ends the process when it holds too much memory, when a request passes its time on the wall clock (the engine's own limit
/// counts processor time of one entry and does not see endless chains of promises), or when the client has died.
final class Watchdog: Sendable {
    private let residentBytesMaximum: Int
    private let statm: Int32
    private let client: pid_t
    /// Monotonic nanoseconds at which the request is over, 0 between requests.
    private let deadline = Atomic<Int64>(0)
    /// Nanoseconds that the request still has while it waits for the client.
    private let left = Atomic<Int64>(0)

    /// To be made before files are closed to the process.
    init(residentBytesMaximum: Int) {
        self.residentBytesMaximum = residentBytesMaximum
        statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        client = getppid()
    }

    func begin(limitSeconds: Double) { deadline.store(Watchdog.now() + Int64(limitSeconds * 1e9), ordering: .relaxed) }
    func end() { deadline.store(0, ordering: .relaxed) }

    /// Waiting for the client's data is not the script's time. Both are called by the thread that answers requests.
    func pause() {
        let limit = deadline.exchange(0, ordering: .relaxed)
        left.store(limit > 0 ? max(1, limit - Watchdog.now()) : 0, ordering: .relaxed)
    }

    func resume() {
        let left = left.load(ordering: .relaxed)
        if left > 0 { deadline.store(Watchdog.now() + left, ordering: .relaxed) }
    }

    /// Looks every 5 ms, on the calling thread, until the process ends.
    func watch() -> Never {
        while true {
            var pause = timespec(tv_sec: 0, tv_nsec: 5_000_000)
            nanosleep(&pause, nil)
            if residentBytes() > residentBytesMaximum { Wire.Exit.memoryLimit.leave() }
            let limit = deadline.load(ordering: .relaxed)
            if limit > 0, Watchdog.now() > limit { Wire.Exit.timeLimit.leave() }
            if getppid() != client { _exit(0) }
        }
    }

    /// The second number of /proc/self/statm is resident pages.
    private func residentBytes() -> Int {
        var text = [UInt8](repeating: 0, count: 128)
        let count = pread(statm, &text, text.count, 0)
        guard count > 0 else { return 0 }
        let fields = text[..<count].split(separator: UInt8(ascii: " "))
        guard fields.count > 1 else { return 0 }
        return fields[1].reduce(0) { $0 * 10 + Int($1 &- 48) } * Watchdog.pageBytes
    }

    private static let pageBytes = sysconf(Int32(_SC_PAGESIZE))

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
