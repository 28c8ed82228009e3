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

    private static func starts() -> Int32 {
        var child = pid_t()
        return posix_spawn(&child, "/bin/true", nil, nil, [nil], [nil])
    }
}
