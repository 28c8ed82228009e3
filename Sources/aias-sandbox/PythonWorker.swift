internal import Glibc
internal import Kernel

/// Answers one request in Python and ends. Nothing of a script can be left for the next one, and nothing that it does to the interpreter matters:
/// the process is the wall, and the client ends it at the time limit.
enum PythonWorker {
    /// Python with all that scripts may import, then the walls, then hello, then the request.
    static func serve(residentBytesMaximum: Int, library: String?) -> Never {
        let channel = Channel(descriptor: Wire.descriptor)
        guard let python = Python.load(library) else { refuse(channel, "Python is not installed on this server; \(advice)") }
        guard python.prepare() else { refuse(channel, "Python \(python.version) on this server cannot be used; \(advice)") }
        // Limits cannot be changed behind the walls.
        guard limitMemory(residentBytesMaximum) else { refuse(channel, "the memory of Python's processes cannot be limited") }
        var walls = Walls.raise(for: .python)
        walls.note("memory", true)
        let watchdog = Watchdog(residentBytesMaximum: residentBytesMaximum)
        Threads.start(stackBytes: 256 << 10) { watchdog.watch() }
        walls.closeFiles(for: .python)
        guard walls.suffice else { refuse(channel, walls.report) }
        walls.note("Python \(python.version)", true)
        channel.send(.hello, walls.report.bytes)
        _ = python.run(Array("serve()".utf8))
        _exit(0)
    }

    private static let advice =
        "install Debian's package libpython3.11, or set AIAS_PYTHON to the shared library of Python 3.9 or newer (libpython3.….so)"

    private static func refuse(_ channel: Channel, _ reason: String) -> Never {
        refuse(channel, ["walls": [], "missing": [.string(reason)], "suffice": false, "refusal": .string(reason)])
    }

    private static func refuse(_ channel: Channel, _ report: JSON) -> Never {
        channel.send(.hello, report.bytes)
        Wire.Exit.noWalls.leave()
    }

    /// What the script may add to the address space, so that it sees an error of its own where there is no more.
    private static func limitMemory(_ bytes: Int) -> Bool {
        let statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        defer { close(statm) }
        var text = [UInt8](repeating: 0, count: 32)
        guard statm >= 0, read(statm, &text, text.count) > 0 else { return false }
        let pages = text.prefix { $0 != UInt8(ascii: " ") }.reduce(0) { $0 * 10 + Int($1 &- 48) }
        let maximum = rlim_t(pages * sysconf(Int32(_SC_PAGESIZE)) + bytes)
        var bounds = rlimit(rlim_cur: maximum, rlim_max: maximum)
        return setrlimit(Int32(RLIMIT_AS.rawValue), &bounds) == 0
    }
}
