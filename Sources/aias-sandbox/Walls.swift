internal import CShims
internal import Glibc

/// What keeps a script's process from the machine, set before its first thread starts so that every thread is behind it.
///
/// JavaScript itself never sees a host object; the walls are for the day when a fault of the engine lets it out of the language.
/// Python's language keeps nobody in, so that there the walls are what holds. They are: no new privileges, a user id of its own
/// (when started by root), no core dumps, few descriptors, Landlock (reading is allowed below a few folders, nothing else), and a
/// list of allowed system calls (seccomp) that has no sockets, no starting of programs, no writing to files; after the engine has
/// started, no opening of files at all.
struct Walls {
    /// What stands, in words for `aias doctor`.
    private(set) var standing: [String] = []
    /// Why something does not stand.
    private(set) var missing: [String] = []
    private(set) var landlock = false
    private(set) var seccomp = false

    /// Scripts may run where seccomp stands: with Landlock from the start, without it because nothing can be opened
    /// after the engine has started (`closeFiles`).
    var suffice: Bool { seccomp }

    /// Sets all walls that this kernel has. `withoutLandlock` is for the self-check alone.
    static func raise(for language: Language = .javaScript, withoutLandlock: Bool = false) -> Walls {
        var walls = Walls()
        walls.note("descriptors closed", aias_close_from(UInt32(Wire.descriptor) + 1) == 0)
        walls.limitResources()
        walls.dropUser()
        walls.note("no_new_privs", aias_prctl(ProcessControl.setNoNewPrivileges, 1) == 0)
        if !withoutLandlock { walls.raiseLandlock(reading: language.files) }
        walls.raiseSystemCallFilter(compiling: language == .javaScript)
        return walls
    }

    enum Language {
        case javaScript, python

        /// What may be read until files are closed. Python has read what it needs before the walls stand.
        var files: [String] {
            switch self {
            case .javaScript: ["/proc/self", "/dev/urandom", "/sys/devices/system/cpu", "/usr/share/zoneinfo"]
            case .python: ["/proc/self"]
            }
        }
    }

    /// The second filter, once the engine has all its files: nothing is opened any more. Python has all its threads then, too, and gets no more: a
    /// script could start so many that the machine has none left for the server.
    mutating func closeFiles(for language: Language = .javaScript) {
        do {
            try SystemCallFilter.closingFiles(andThreads: language == .python).load(allThreads: true)
            note("no open files", true)
        } catch {
            note("no open files (\(error))", false)
            if !landlock { seccomp = false }
        }
    }

    mutating func note(_ wall: String, _ stands: Bool) {
        if stands { standing.append(wall) } else { missing.append(wall) }
    }

    private mutating func limitResources() {
        func limit(_ resource: __rlimit_resource, _ value: rlim_t) -> Bool {
            var bounds = rlimit(rlim_cur: value, rlim_max: value)
            return setrlimit(Int32(resource.rawValue), &bounds) == 0
        }
        note("limits", limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, 32) && limit(RLIMIT_FSIZE, 0))
        preferAsVictim()
    }

    /// When memory runs out, the kernel ends this process before any other.
    private func preferAsVictim() {
        let file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = "1000".withCString { write(file, $0, 4) }
        close(file)
    }

    /// Root becomes a user that owns nothing: one id for each process, so that two workers cannot signal or trace each other;
    /// `nobody` where the user namespace has no such id. A plain user stays what it is.
    private mutating func dropUser() {
        guard geteuid() == 0 else { return }
        let nobody: uid_t = 65534
        for id in [1_879_048_192 + uid_t(getpid()), nobody] where aias_become_user(id) == 0 {
            return note("own user", true)
        }
        note("own user", false)
    }

    private mutating func raiseLandlock(reading files: [String]) {
        let abi = aias_landlock_abi()
        let ruleset = abi > 0 ? aias_landlock_create(abi) : -1
        guard ruleset >= 0 else { return note("landlock (this kernel has none, or it is off)", false) }
        defer { close(ruleset) }
        for path in files { _ = aias_landlock_allow_reading(ruleset, path) }
        landlock = aias_landlock_restrict(ruleset) == 0
        note(landlock ? "landlock \(abi)" : "landlock (refused by the kernel)", landlock)
    }

    private mutating func raiseSystemCallFilter(compiling: Bool) {
        do {
            try SystemCallFilter.forScripts(compiling: compiling).load(allThreads: false)
            seccomp = true
            note("seccomp", true)
        } catch {
            note("seccomp (\(error))", false)
        }
    }
}
