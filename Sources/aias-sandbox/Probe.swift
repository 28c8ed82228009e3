internal import Glibc
internal import Kernel

/// `aias-sandbox --probe-walls`: sets the walls, starts the engine, then tries from native code what a script that broke out of
/// the language would try. Prints `{"walls": …, "attempts": {name: errno, 0 = it worked}}` for `aias doctor` and the tests.
enum Probe {
    static func run(withoutLandlock: Bool) -> Never {
        var walls = Walls.raise(withoutLandlock: withoutLandlock)
        let engine = Engine(channel: Channel(descriptor: Wire.descriptor))
        engine.prepare()
        _ = engine.answer("warmUp", [], limitSeconds: 10)
        let before = attempts().map { ("before_close_\($0)", $1) }
        walls.closeFiles()
        tell(walls, before + attempts())
    }

    /// The same with Python: nothing is opened from the moment when its walls stand, and no memory becomes executable.
    static func runPython() -> Never {
        guard let python = Python.load(nil), python.prepare() else { tell(Walls(), []) }
        var walls = Walls.raise(for: .python)
        walls.closeFiles(for: .python)
        errno = 0
        let page = mmap(nil, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | Int32(MAP_ANONYMOUS), -1, 0)
        let executable: JSON = page == MAP_FAILED ? .number(Double(errno)) : 0
        tell(walls, attempts() + [("executable_memory", executable)])
    }

    private static func tell(_ walls: Walls, _ attempts: [(String, JSON)]) -> Never {
        var report = JSONObject()
        report["walls"] = walls.report
        report["attempts"] = .object(JSONObject(attempts))
        let text = JSON.object(report).serialized + "\n"
        _ = text.withCString { write(1, $0, strlen($0)) }
        _exit(0)
    }

    /// F_SETOWN, F_SETSIG (fcntl(2)) and SCHED_IDLE (sched(7)), which Glibc's module does not show.
    private static let (setOwner, setSignal, idlePolicy): (Int32, Int32, Int32) = (8, 10, 5)

    private static func signal(by command: Int32, _ value: Int32) -> Int { Int(fcntl(0, command, value)) }

    private static func attempts() -> [(String, JSON)] {
        let tries: [(String, () -> Int)] = [
            ("open_for_reading", { Int(open("/etc/passwd", O_RDONLY)) }),
            ("open_for_writing", { Int(open("/dev/null", O_WRONLY)) }),
            ("create_file", { Int(open("/tmp/aias-sandbox-probe", O_CREAT | O_RDWR, 0o600)) }),
            ("list_folder", { opendir("/") == nil ? -1 : 0 }),
            ("socket_inet", { Int(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)) }),
            ("socket_unix", { Int(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)) }),
            ("exec", { Int(execv("/bin/true", [strdup("true"), nil])) }),
            (
                "fork",
                {
                    var child = pid_t(); let code = posix_spawn(&child, "/bin/true", nil, nil, [nil], nil); errno = code; return code == 0 ? 0 : -1
                }
            ),
            ("signal_parent", { Int(kill(getppid(), 0)) }),
            ("signal_parent_by_file", { signal(by: setOwner, getppid()) }),
            ("signal_choice_by_file", { signal(by: setSignal, SIGKILL) }),
            (
                "parent_priority",
                {
                    var priority = sched_param(); return Int(sched_setscheduler(getppid(), idlePolicy, &priority))
                }
            ),
            ("unlink", { Int(unlink("/tmp/aias-sandbox-probe")) }),
            ("set_user", { Int(setuid(0)) }),
            (
                "raise_limit",
                {
                    var bounds = rlimit(rlim_cur: 4096, rlim_max: 4096); return Int(setrlimit(Int32(RLIMIT_NOFILE.rawValue), &bounds))
                }
            )
        ]
        return tries.map { name, attempt in
            errno = 0
            let failed = attempt() < 0
            return (name, failed ? .number(Double(errno == 0 ? EPERM : errno)) : 0)
        }
    }
}
