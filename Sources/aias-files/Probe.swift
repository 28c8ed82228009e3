internal import Glibc
internal import Kernel

/// Tries behind the walls what a taken-over library would try, and prints what was refused.
enum Probe {
    static func run() -> Never {
        let stand = Walls.raise(memoryBytes: 1 << 30, seconds: 10)
        let refused: JSONObject = [
            "walls": .bool(stand), "read": .bool(open("/etc/passwd", O_RDONLY) < 0),
            "write": .bool(open("/tmp/aias-probe", O_WRONLY | O_CREAT, 0o600) < 0),
            "socket": .bool(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) < 0), "program": .bool(starts() != 0),
            "signal": .bool(kill(getppid(), 0) != 0)
        ]
        print(JSON.object(refused).serialized)
        exit(0)
    }

    /// The same behind the printer's walls, which let programs start and files be read: what reaches other processes of the same user.
    static func runPrinting() -> Never {
        let stand = Walls.raiseForPrinting(memoryBytes: 1 << 30, seconds: 10)
        var priority = sched_param()
        let refused: JSONObject = [
            "walls": .bool(stand), "socket": .bool(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) < 0), "signal": .bool(kill(getppid(), 0) != 0),
            "queued_signal": .bool(sigqueue(getppid(), 0, sigval()) != 0),
            "signal_by_file": .bool(fcntl(0, Walls.setOwner, getppid()) < 0), "signal_choice_by_file": .bool(fcntl(0, Walls.setSignal, SIGKILL) < 0),
            "parent_priority": .bool(sched_setscheduler(getppid(), 0, &priority) < 0), "page_programs": .bool(PagePrinter.refusesPrograms())
        ]
        print(JSON.object(refused).serialized)
        exit(0)
    }

    private static func starts() -> Int32 {
        var child = pid_t()
        return posix_spawn(&child, "/bin/true", nil, nil, [nil], [nil])
    }
}
