internal import CSeccomp
internal import Glibc

/// Options of prctl(2) (linux/prctl.h), which Glibc's module does not show.
enum ProcessControl {
    static let setName: Int32 = 15
    static let getSeccomp: Int32 = 21
    static let setNoNewPrivileges: Int32 = 38
}

/// A list of allowed system calls (seccomp(2)); every other one fails with EPERM, so that the engine sees an error and not a signal.
struct SystemCallFilter: ~Copyable {
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    private let context: scmp_filter_ctx

    private init(otherwise action: UInt32) throws(Fault) {
        guard let context = seccomp_init(action) else { throw Fault(description: "seccomp_init failed") }
        self.context = context
    }

    deinit { seccomp_release(context) }

    /// Puts the filter on this thread and its future ones, or on all threads of the process.
    func load(allThreads: Bool) throws(Fault) {
        seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0)
        if allThreads { seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1) }
        let status = seccomp_load(context)
        guard status == 0 else { throw Fault(description: "seccomp_load: error \(-status)") }
    }

    /// What JavaScriptCore, its collector's threads, Python and the frames need; nothing that reaches outside.
    /// - Parameter compiling: whether memory may become executable, as JavaScript that is compiled as it runs needs it.
    static func forScripts(compiling: Bool) throws(Fault) -> SystemCallFilter {
        let filter = try SystemCallFilter(otherwise: refuse(EPERM))
        for name in plain { try filter.add(allow, name) }
        for name in ["mmap", "mprotect"] {
            if compiling { try filter.add(allow, name) } else { try filter.add(allow, name, where: 2, masked: UInt64(PROT_EXEC), is: 0) }
        }
        let writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | 0o20000000
        try filter.add(allow, "openat", where: 2, masked: UInt64(writing), is: UInt64(O_RDONLY))
        // Threads alone, no processes: CLONE_THREAD. clone3's flags lie in memory, so glibc is sent back to clone.
        try filter.add(allow, "clone", where: 0, masked: 0x10000, is: 0x10000)
        try filter.add(refuse(ENOSYS), "clone3")
        try filter.add(allow, "tgkill", where: 0, masked: .max, is: UInt64(getpid()))
        // Not those that have a signal sent, which a process of the same user gets whatever else is forbidden.
        for command in [F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC] {
            try filter.add(allow, "fcntl", where: 1, masked: .max, is: UInt64(command))
        }
        try filter.add(allow, "prlimit64", where: 2, masked: .max, is: 0)
        try filter.add(allow, "prctl", where: 0, masked: .max, is: UInt64(ProcessControl.setName))
        try filter.add(allow, "prctl", where: 0, masked: .max, is: UInt64(ProcessControl.getSeccomp))
        return filter
    }

    /// No file is opened and no filter changed from now on, and where that is asked for no thread started.
    static func closingFiles(andThreads: Bool) throws(Fault) -> SystemCallFilter {
        let filter = try SystemCallFilter(otherwise: allow)
        for name in ["openat", "open", "openat2", "readlink", "readlinkat", "access", "seccomp", "prctl"] { try filter.add(refuse(EPERM), name) }
        if andThreads { try filter.add(refuse(EPERM), "clone") }
        return filter
    }

    private static let allow: UInt32 = 0x7fff_0000
    private static func refuse(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }

    private static let plain = [
        "read", "write", "readv", "writev", "pread64", "close", "eventfd2", "pipe2", "fstat", "newfstatat", "lseek", "poll", "ppoll",
        "munmap", "mremap", "madvise", "brk", "mincore",
        "futex", "set_robust_list", "rseq", "set_tid_address", "membarrier",
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sigaltstack", "restart_syscall",
        "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
        "sched_get_priority_min", "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getcpu",
        "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times",
        "getrandom", "getrusage", "sysinfo", "uname", "exit", "exit_group", "access", "readlink", "seccomp"
    ]

    private func add(_ action: UInt32, _ name: String) throws(Fault) {
        try check(name, seccomp_rule_add_array(context, action, number(name), 0, nil))
    }

    private func add(_ action: UInt32, _ name: String, where argument: UInt32, masked mask: UInt64, is value: UInt64) throws(Fault) {
        var comparison = scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        try check(name, seccomp_rule_add_array(context, action, number(name), 1, &comparison))
    }

    private func number(_ name: String) -> Int32 { seccomp_syscall_resolve_name(name) }

    private func check(_ name: String, _ status: Int32) throws(Fault) {
        guard status == 0 else { throw Fault(description: "no rule for \(name): error \(-status)") }
    }
}
