internal import CSeccomp
internal import CShims
internal import Glibc

/// What keeps a converter's process from the machine. The libraries that read files (libxml2, libzip, poppler, GraphicsMagick) are not safe in
/// memory and the files are a stranger's; so that a fault of theirs leads nowhere, the process has no network, no programs to start,
/// nothing to write to, almost nothing to read, little memory and little time.
enum Walls {
    /// - Returns: false where the system call filter does not stand; then nothing may be read.
    static func raise(memoryBytes: UInt, seconds: UInt) -> Bool {
        guard confine(memoryBytes: memoryBytes, seconds: seconds, files: 32) else { return false }
        lockFiles(reading: ["/usr/share/poppler"] + Picture.settings + FontFiles.folders + characterTables)
        return filterSystemCalls()
    }

    /// The walls around WeasyPrint, a program of others in a language that starts slowly and reads much: it may run what the distribution brings and
    /// read that and the fonts' settings. It has no network, cannot look at other processes, and has nothing to write to but its answer.
    static func raiseForPrinting(memoryBytes: UInt, seconds: UInt) -> Bool {
        guard confine(memoryBytes: memoryBytes, seconds: seconds, files: 256) else { return false }
        lockFiles(
            reading: ["/etc/fonts", "/etc/ld.so.cache", "/etc/python3", "/var/cache/fontconfig", "/dev/null", "/dev/urandom", "/proc/self"],
            running: ["/usr", "/lib", "/lib64"])
        return refuseSystemCalls()
    }

    /// Of glibc: for mails in other character sets than Unicode's, and for those that ZBar tries on texts that are not UTF-8.
    private static let characterTables = ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/gconv" }

    private static func confine(memoryBytes: UInt, seconds: UInt, files: UInt) -> Bool {
        _ = aias_close_from(UInt32(Wire.descriptor) + 1)
        limit(RLIMIT_CORE, 0)
        limit(RLIMIT_NOFILE, files)
        limit(RLIMIT_FSIZE, 0)
        limit(RLIMIT_AS, memoryBytes)
        limit(RLIMIT_CPU, seconds)
        if geteuid() == 0, aias_become_user(1_879_048_192 + uid_t(getpid())) != 0 { _ = aias_become_user(65_534) }
        return aias_prctl(noNewPrivileges, 1) == 0
    }

    /// PR_SET_NO_NEW_PRIVS (linux/prctl.h), which Glibc's module does not show.
    private static let noNewPrivileges: Int32 = 38

    private static func limit(_ resource: __rlimit_resource, _ value: UInt) {
        var bounds = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
        _ = setrlimit(Int32(resource.rawValue), &bounds)
    }

    /// Landlock where the kernel has it: for converters the tables that poppler needs for East Asian texts, GraphicsMagick's settings, the fonts and
    /// the C library's character sets, and nothing else.
    private static func lockFiles(reading: [String], running: [String] = []) {
        let abi = aias_landlock_abi()
        let ruleset = abi > 0 ? aias_landlock_create(abi) : -1
        guard ruleset >= 0 else { return }
        for path in reading { _ = aias_landlock_allow_reading(ruleset, path) }
        for path in running { _ = aias_landlock_allow_running(ruleset, path) }
        _ = aias_landlock_restrict(ruleset)
        close(ruleset)
    }

    private static func filterSystemCalls() -> Bool {
        let allow: UInt32 = 0x7fff_0000
        let refuse: UInt32 = 0x0005_0000 | UInt32(EPERM)
        guard let filter = seccomp_init(refuse) else { return false }
        defer { seccomp_release(filter) }
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0)
        for name in allowed where seccomp_rule_add_array(filter, allow, seccomp_syscall_resolve_name(name), 0, nil) != 0 { return false }
        let writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | 0o20000000
        var reading = scmp_arg_cmp(arg: 2, op: SCMP_CMP_MASKED_EQ, datum_a: UInt64(writing), datum_b: UInt64(O_RDONLY))
        guard seccomp_rule_add_array(filter, allow, seccomp_syscall_resolve_name("openat"), 1, &reading) == 0 else { return false }
        // Not those that have a signal sent, which a process of the same user gets whatever else is forbidden.
        for command in [F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC] {
            var same = scmp_arg_cmp(arg: 1, op: SCMP_CMP_EQ, datum_a: UInt64(command), datum_b: 0)
            guard seccomp_rule_add_array(filter, allow, seccomp_syscall_resolve_name("fcntl"), 1, &same) == 0 else { return false }
        }
        return seccomp_load(filter) == 0
    }

    private static func refuseSystemCalls() -> Bool {
        let allow: UInt32 = 0x7fff_0000
        let refuse: UInt32 = 0x0005_0000 | UInt32(EPERM)
        guard let filter = seccomp_init(allow) else { return false }
        defer { seccomp_release(filter) }
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0)
        for name in refused {
            let number = seccomp_syscall_resolve_name(name)
            // A call that this machine does not have cannot be made.
            guard number >= 0 else { continue }
            if seccomp_rule_add_array(filter, refuse, number, 0, nil) != 0 { return false }
        }
        for name in refusedOfOthers {
            // 0 is whoever calls.
            var other = scmp_arg_cmp(arg: 0, op: SCMP_CMP_NE, datum_a: 0, datum_b: 0)
            guard seccomp_rule_add_array(filter, refuse, seccomp_syscall_resolve_name(name), 1, &other) == 0 else { return false }
        }
        // The kernel reads a command's lower half alone.
        let commands: [(call: String, value: UInt64)] = [
            ("fcntl", UInt64(setOwner)), ("fcntl", UInt64(setSignal)), ("fcntl", setOwnerOfKind), ("ioctl", setSocketOwner), ("ioctl", setSocketGroup)
        ]
        for command in commands {
            var same = scmp_arg_cmp(arg: 1, op: SCMP_CMP_MASKED_EQ, datum_a: 0xffff_ffff, datum_b: command.value)
            guard seccomp_rule_add_array(filter, refuse, seccomp_syscall_resolve_name(command.call), 1, &same) == 0 else { return false }
        }
        return seccomp_load(filter) == 0
    }

    /// F_SETOWN, F_SETSIG and F_SETOWN_EX (fcntl(2)), FIOSETOWN and SIOCSPGRP (asm-generic/sockios.h), which Glibc's module does not show: whoever is
    /// named there gets a signal of choice, a process of the same user whatever else is forbidden.
    static let (setOwner, setSignal): (Int32, Int32) = (8, 10)
    private static let (setOwnerOfKind, setSocketOwner, setSocketGroup): (UInt64, UInt64, UInt64) = (15, 0x8901, 0x8902)

    /// What changes how another process is treated: its limits, its place among those that want to run.
    private static let refusedOfOthers = ["prlimit64", "sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity"]

    private static let refused = [
        "socket", "connect", "bind", "listen", "accept", "accept4", "ptrace", "process_vm_readv", "process_vm_writev", "kill", "tkill", "tgkill",
        "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal", "pidfd_getfd", "setpriority", "ioprio_set", "process_madvise",
        "process_mrelease", "migrate_pages", "move_pages", "kcmp", "mount", "umount2", "move_mount", "open_tree", "fsopen", "mount_setattr",
        "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "add_key", "request_key", "keyctl",
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "open_by_handle_at"
    ]

    private static let allowed = [
        "access", "faccessat", "times", "read", "write", "recvfrom", "sendto", "pread64", "close", "fstat", "newfstatat", "lseek",
        "getdents64", "poll", "mmap", "mprotect",
        "munmap", "mremap", "madvise", "brk", "futex", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "sched_yield",
        "sched_getaffinity", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "clock_gettime", "clock_getres", "gettimeofday", "time",
        "getrandom", "getrusage", "sysinfo", "uname", "exit", "exit_group"
    ]
}
