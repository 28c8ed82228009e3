internal import Glibc
internal import Kernel

/// Prints a page of HTML as a PDF file with Debian's WeasyPrint, behind walls of its own: no network, and nothing to write to.
enum PagePrinter {
    private static let program = "/usr/bin/weasyprint"
    private static let python = "/usr/bin/python3"
    /// WeasyPrint makes a folder for fonts that a page brings along; ours bring none, and there is nothing to write to.
    private static let start = """
        import sys, tempfile
        tempfile.mkdtemp = lambda *_, **__: "/nonexistent/fonts"
        from weasyprint.__main__ import main
        sys.exit(main())
        """

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
        let arguments = [python, "-I", "-c", start, "--quiet", "--encoding", "utf-8", "--pdf-variant", "pdf/ua-1", "-", "-"]
        let environment = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", "HOME=/nonexistent", "PYTHONDONTWRITEBYTECODE=1"]
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
