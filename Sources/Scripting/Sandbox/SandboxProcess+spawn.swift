internal import Glibc

extension SandboxProcess {
    /// posix_spawn with the socket as descriptor 3, /dev/null as 0 to 2, no signal mask and a fixed environment; the program
    /// closes whatever else was left open as its first act.
    static func spawn(_ program: String, _ arguments: [String], socket: Int32) throws(Fault) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, socket, 3)
        for standard in 0...2 { posix_spawn_file_actions_addopen(&actions, Int32(standard), "/dev/null", O_RDWR, 0) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | newSession))
        var child = pid_t()
        let status = withStrings([program] + arguments) { argv in
            withStrings(environment) { posix_spawn(&child, program, &actions, &attributes, argv, $0) }
        }
        guard status == 0 else { throw .start("\(program) cannot be started: \(String(cString: strerror(status)))") }
        return child
    }

    /// POSIX_SPAWN_SETSID (spawn.h), which Glibc's module does not show.
    private static let newSession: Int32 = 0x80

    /// TZ so that no zone file is looked for; the engine collects garbage as on a machine of this size and with one marker thread.
    private static let environment = [
        "TZ=UTC", "LANG=C.UTF-8", "JSC_forceRAMSize=402653184", "JSC_numberOfGCMarkers=1", "LD_LIBRARY_PATH=\(libraryPath)"
    ]

    private static var libraryPath: String { getenv("LD_LIBRARY_PATH").map { String(cString: $0) } ?? "" }

    private static func withStrings<Result>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
        let pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}
