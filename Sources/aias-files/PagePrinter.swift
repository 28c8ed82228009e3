internal import Glibc
internal import Kernel

/// Prints a page of HTML as a PDF file with Debian's WeasyPrint, behind walls of its own: no network, and nothing to write to.
enum PagePrinter {
    private static let program = "/usr/bin/weasyprint"
    private static let python = "/usr/bin/python3"
    /// One more wall, once Python itself has started: it starts threads, but neither processes nor programs, of which a page that takes a library over
    /// could make so many that the machine has none left. Python looks for libraries with programs, and does without where that is refused.
    private static let walls = """
        import ctypes, sys, tempfile
        class Same(ctypes.Structure):
            _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64)]
        seccomp = ctypes.CDLL("libseccomp.so.2")
        seccomp.seccomp_init.restype = ctypes.c_void_p
        walls = ctypes.c_void_p(seccomp.seccomp_init(0x7fff0000))
        def refuse(name, error, *same):
            number = seccomp.seccomp_syscall_resolve_name(name)
            if number >= 0 and seccomp.seccomp_rule_add_array(walls, 0x50000 | error, number, len(same), (Same * len(same))(*same)):
                sys.exit(3)
        for name in (b"fork", b"vfork", b"execve", b"execveat"):
            refuse(name, 1)
        # Without CLONE_THREAD. The flags of clone3 lie in memory: glibc is sent back to clone.
        refuse(b"clone", 1, Same(0, 7, 0x10000, 0))
        refuse(b"clone3", 38)
        if seccomp.seccomp_load(walls):
            sys.exit(3)

        """
    /// WeasyPrint makes a folder for fonts that a page brings along; ours bring none, and there is nothing to write to.
    private static let start = """
        tempfile.mkdtemp = lambda *_, **__: "/nonexistent/fonts"
        from weasyprint.__main__ import main
        sys.exit(main())
        """

    private static let environment = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", "HOME=/nonexistent", "PYTHONDONTWRITEBYTECODE=1"]

    static func print(_ request: Wire.Message) throws -> Wire.Message {
        let page = try request.file()
        guard access(program, X_OK) == 0 else { throw Fault("unavailable", "the package weasyprint is not installed") }
        var (input, output): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard pipe(&input) == 0, pipe(&output) == 0 else { throw Fault("unavailable", "no pipes") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input[0], 0)
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        for end in input + output + [Wire.descriptor] { posix_spawn_file_actions_addclose(&actions, end) }
        var child = pid_t()
        let arguments = [python, "-I", "-c", walls + start, "--quiet", "--encoding", "utf-8", "--pdf-variant", "pdf/ua-1", "-", "-"]
        let status = withStrings(arguments) { argv in withStrings(environment) { posix_spawn(&child, python, &actions, nil, argv, $0) } }
        close(input[0])
        close(output[1])
        guard status == 0 else { throw Fault("unavailable", "weasyprint cannot be started") }
        // It reads the page to its end before it writes anything.
        write(page, to: input[1])
        let file = read(from: output[0])
        var code: Int32 = 0
        while waitpid(child, &code, 0) < 0, errno == EINTR {}
        guard code == 0, file.starts(with: Array("%PDF".utf8)) else { throw Fault("unreadable_file", "the page cannot be printed") }
        return Wire.Message(head: [:], files: [Wire.File(name: "", bytes: file)])
    }

    /// Tries what a page's program would try, behind the same walls; whether it was refused a process and a program.
    static func refusesPrograms() -> Bool {
        let attempt = """
            import os
            for attempt in (os.fork, lambda: os.execv("/bin/false", ["false"])):
                try:
                    attempt()
                except OSError:
                    continue
                os._exit(1)
            """
        var child = pid_t()
        let status = withStrings([python, "-I", "-c", walls + attempt]) { argv in
            withStrings(environment) { posix_spawn(&child, python, nil, nil, argv, $0) }
        }
        guard status == 0 else { return false }
        var code: Int32 = 0
        while waitpid(child, &code, 0) < 0, errno == EINTR {}
        return code == 0
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + sent, bytes.count - sent) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            sent += count
        }
        close(descriptor)
    }

    private static func read(from descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        close(descriptor)
        return bytes
    }

    private static func withStrings<Result>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
        let pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}
