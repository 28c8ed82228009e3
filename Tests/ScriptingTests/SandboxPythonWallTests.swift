import Kernel
import Scripting
import TestKit
import Testing

/// Python's language keeps nobody in; these are tried as a script tries them.
@Suite(.timeLimit(.minutes(3)))
struct SandboxPythonWallTests {
    let inner = SandboxPythonTests()

    /// The name of the error that each attempt meets.
    @Test(arguments: [
        ("open('/etc/passwd')", "PermissionError"), ("open('/proc/self/environ')", "PermissionError"),
        ("open('/tmp/aias-python-probe', 'w')", "PermissionError"), ("__import__('os').listdir('/')", "PermissionError"),
        ("__import__('os').fork()", "PermissionError"), ("__import__('os').execv('/bin/true', ['true'])", "PermissionError"),
        ("__import__('os').kill(__import__('os').getppid(), 9)", "PermissionError"), ("__import__('os').setuid(0)", "PermissionError"),
        ("__import__('os').memfd_create('x')", "PermissionError"), ("__import__('os').pidfd_open(1)", "PermissionError"),
        ("__import__('os').chdir('/')", "PermissionError"), ("__import__('socket').socket()", "PermissionError"),
        ("__import__('socket').create_connection(('127.0.0.1', 80))", "PermissionError"), ("__import__('ctypes')", "ModuleNotFoundError"),
        ("__import__('_ctypes')", "ModuleNotFoundError"), ("__import__('subprocess')", "ModuleNotFoundError"),
        ("__import__('mmap')", "ModuleNotFoundError"), ("__import__('_thread').start_new_thread(print, ())", "RuntimeError"),
        ("__import__('threading').Thread(target=print).start()", "RuntimeError")
    ])
    func `the machine is out of reach`(attempt: String, error: String) async throws {
        let source = "try:\n  \(attempt)\n  x = 'none'\nexcept BaseException as e:\n  x = type(e).__name__\nreturn {'x': x}"
        let met = try #require(await inner.value(source)?.text)
        #expect(met == error, "\(attempt): \(met)")
    }

    @Test func `a shell is not started`() async throws {
        #expect(try await inner.value("import os\nreturn {'x': os.system('true') == 0}") == false)
    }

    @Test func `no environment is seen`() async throws {
        #expect(try await inner.value("import os\nreturn {'x': dict(os.environ)}") == [:])
    }

    @Test func `native code behind the walls reaches nothing and adds no code`() throws {
        let program = try #require(SandboxProgram.find())
        let report = try JSON(parsing: ServiceProcess.output(of: [program, "--probe-walls", "--python"]))
        let attempts = try #require(report["attempts"]?.object)
        #expect(attempts.count == 16)
        for (name, code) in attempts { #expect(code != 0, "\(name) worked") }
    }

    @Test(arguments: [
        "while True: pass", "sum(range(10 ** 12))", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')", "import threading\nthreading.Event().wait()"
    ])
    func `what never ends is stopped`(source: String) async {
        #expect(await inner.fault(source, limit: .milliseconds(300))?.kind == .timeLimit)
    }

    @Test(arguments: ["a = []\nwhile True: a.append(' ' * 1000000)", "a = bytearray(10 ** 10)", "a = [0] * 10 ** 9", "a = 'x'\nwhile True: a += a"])
    func `a memory bomb is stopped`(source: String) async {
        #expect(await inner.fault(source, limit: .seconds(100))?.kind == .memoryLimit)
    }

    @Test func `a script that ends its process fails alone`() async throws {
        #expect(await inner.fault("import os\nos._exit(0)")?.message.contains("ended unexpectedly") == true)
        #expect(await inner.fault("import sys\nsys.exit(0)")?.message == "the script ended itself; use return")
        #expect(try await inner.value("return {'x': 1}") == 1)
    }

    @Test func `what is no frame is told, whatever a script writes to the client`() async {
        #expect(await inner.fault("import os\nos.write(3, b'\\x00\\x00\\x00\\x04\\x01\\x06{}')\nreturn []")?.kind == .runtime)
        #expect(await inner.fault("import os\nos.write(3, b'nonsense')\nreturn []")?.kind == .runtime)
    }

    @Test func `a giant output is refused`() async {
        var limits = SandboxLimits()
        limits.outputBytes = 10_000
        #expect(await inner.fault("return {'s': 'x' * 20000}", sandbox: Sandbox(limits: limits))?.kind == .outputLimit)
    }

    @Test func `nothing is left behind for the next script`() async throws {
        _ = try await inner.run("import builtins, json\nbuiltins.leak = 1\njson.leak = 2\nreturn []")
        #expect(try await inner.value("import builtins, json\nreturn {'x': [hasattr(builtins, 'leak'), hasattr(json, 'leak')]}") == [false, false])
    }

    @Test func `JavaScript's processes wait beside it unharmed`() async throws {
        let sandbox = Sandbox()
        async let python = inner.run("return {'x': 1}", sandbox: sandbox)
        let script = Script(source: "return {x: 2}", mode: .allItems)
        #expect(try await sandbox.run(script, tenant: .test(21), scope: inner.scope).items == [["json": ["x": 2]]])
        #expect(try await python.items == [["json": ["x": 1]]])
    }

    @Test func `without Python the fault says what to install`() async throws {
        let told = try #require(await inner.fault("return []", sandbox: Sandbox(python: "/nowhere/libpython3.so")))
        #expect(told.kind == .unavailable)
        #expect(told.message.contains("Python is not installed on this server; install Debian's package libpython3.11"))
        let check = SandboxCheck.reportPython(library: "/nowhere/libpython3.so")
        #expect(!check.available)
        #expect(check.missing.first?.contains("libpython3.11") == true)
        #expect(SandboxCheck.reportPython().available)
    }
}
