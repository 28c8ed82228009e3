internal import Dispatch
internal import Foundation
internal import Glibc
internal import Kernel
internal import Synchronization

/// Reads and makes archives, spreadsheets and PDF files in `aias-files`, a walled process of its own for each conversion: the libraries
/// that do it are not safe in memory, and the files come from strangers. Conversions beyond those side by side wait, and their tenants take turns.
package final class FileConverter: Sendable {
    private let program: String?
    private let limits: FileConversionLimits
    private let queue = OperationQueue()
    /// Places alone, without a process of the sandbox in any of them.
    let places: SandboxPool

    /// Whether `aias-files` lies beside the running program.
    package static var isInstalled: Bool { SandboxProgram.beside("aias-files") != nil }

    /// - Parameter program: the path of `aias-files`; nil where there is none, then every conversion is refused.
    package init(program: String? = SandboxProgram.beside("aias-files"), limits: FileConversionLimits = FileConversionLimits()) {
        self.program = program
        self.limits = limits
        queue.name = "files"
        queue.maxConcurrentOperationCount = limits.sideBySide
        var turns = SandboxLimits()
        turns.workers = limits.sideBySide
        turns.usesInTurn = 1
        turns.waiting = limits.waiting
        places = SandboxPool(limits: turns)
    }

    /// Of conversions that are no tenant's.
    private static let nobody = TenantID(high: 0, low: 0)

    /// - Throws: `FileConversionError`; `CancellationError` when the task is cancelled.
    package func convert(_ conversion: FileConversion) async throws -> ConvertedFiles {
        guard let program else { throw FileConversionError("unavailable", "aias-files is not installed beside aias; files cannot be converted.") }
        let size = conversion.files.reduce(0) { $0 + $1.bytes.count }
        guard size <= limits.inputBytes else {
            throw FileConversionError("file_too_large", "Files of more than \(limits.inputBytes) bytes are not converted.")
        }
        let place: SandboxPool.Seat
        do { place = try await places.acquire(conversion.tenant ?? Self.nobody) } catch is ScriptError {
            throw FileConversionError("unavailable", "Too many files wait to be converted; try again later.")
        }
        defer { places.release(place) }
        let request = self.request(conversion)
        let exchange = FileExchange(program: program, mode: conversion.operation == .printPage ? "--print" : "--convert", limits: limits)
        return try await withTaskCancellationHandler {
            let answer: Result<[UInt8], FileConversionError> = await withCheckedContinuation { continuation in
                queue.addOperation { continuation.resume(returning: exchange.run(request)) }
            }
            try Task.checkCancellation()
            return try read(try answer.get())
        } onCancel: {
            exchange.cancel()
        }
    }

    private func request(_ conversion: FileConversion) -> [UInt8] {
        var head = conversion.settings
        head["operation"] = .string(conversion.operation.rawValue)
        head["maximum_bytes"] = .number(Double(limits.outputBytes))
        head["maximum_entries"] = .number(Double(limits.entries))
        head["maximum_ratio"] = .number(Double(limits.ratio))
        head["files"] = .array(conversion.files.map { ["name": .string($0.name), "bytes": .number(Double($0.bytes.count))] })
        let json = JSON.object(head).bytes
        var bytes = (0..<4).map { UInt8(truncatingIfNeeded: json.count >> (24 - 8 * $0)) } + json
        for file in conversion.files { bytes += file.bytes }
        return bytes
    }

    /// The answer comes from a process that may have been taken over: nothing in it is trusted but its bytes.
    private func read(_ bytes: [UInt8]) throws -> ConvertedFiles {
        let broken = FileConversionError("unreadable_file", "The file cannot be read.")
        guard bytes.count >= 4 else { throw broken }
        let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
        guard length <= bytes.count - 4, var facts = (try? JSON(parsing: bytes[4..<(4 + length)]))?.object else { throw broken }
        if let code = facts["fault"]?.text { throw FileConversionError(code, facts["message"]?.text ?? "") }
        var files: [FileConversion.File] = []
        var place = 4 + length
        for file in facts["files"]?.array ?? [] {
            guard let count = file["bytes"]?.integer, count >= 0, count <= bytes.count - place else { throw broken }
            files.append(FileConversion.File(name: file["name"]?.text ?? "", bytes: Array(bytes[place..<(place + count)])))
            place += count
        }
        facts["files"] = nil
        return ConvertedFiles(facts: facts, files: files)
    }
}

/// One process and the socket to it; used by one thread, cancelled from any.
private final class FileExchange: Sendable {
    private let program: String
    private let mode: String
    private let limits: FileConversionLimits
    private let state = Mutex<(pid: pid_t?, isCancelled: Bool)>((nil, false))

    init(program: String, mode: String, limits: FileConversionLimits) {
        self.program = program
        self.mode = mode
        self.limits = limits
    }

    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            if let pid = state.pid { Self.endAll(of: pid) }
        }
    }

    func run(_ request: [UInt8]) -> Result<[UInt8], FileConversionError> {
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            return .failure(FileConversionError("unavailable", "No socket pair."))
        }
        defer { close(pair[0]) }
        let seconds = limits.time.components.seconds
        let child: pid_t
        do throws(SandboxProcess.Fault) {
            child = try SandboxProcess.spawn(program, [mode, String(limits.memoryBytes), String(seconds)], socket: pair[1])
        } catch {
            close(pair[1])
            return .failure(FileConversionError("unavailable", "aias-files cannot be started."))
        }
        close(pair[1])
        let isCancelled = state.withLock { state in
            state.pid = child
            return state.isCancelled
        }
        let answer = isCancelled ? nil : exchange(request, pair[0], deadline: .now + limits.time)
        let status = end(child)
        if let answer, !answer.isEmpty { return .success(answer) }
        return .failure(failure(status, isLate: answer == nil))
    }

    /// - Returns: nil where the time or the bytes ran out.
    private func exchange(_ request: [UInt8], _ descriptor: Int32, deadline: ContinuousClock.Instant) -> [UInt8]? {
        var sent = 0
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let left = (deadline - .now).microseconds / 1_000
            guard left > 0 else { return nil }
            var entry = pollfd(fd: descriptor, events: Int16(sent < request.count ? POLLIN | POLLOUT : POLLIN), revents: 0)
            guard poll(&entry, 1, Int32(min(left, 60_000))) > 0 else { continue }
            if Int32(entry.revents) & POLLOUT != 0 {
                let count = request.withUnsafeBytes {
                    send(descriptor, $0.baseAddress! + sent, request.count - sent, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
                }
                if count > 0 { sent += count }
                if sent == request.count { shutdown(descriptor, Int32(SHUT_WR)) }
            }
            guard Int32(entry.revents) & (POLLIN | POLLHUP | POLLERR) != 0 else { continue }
            let got = recv(descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            if got < 0, errno == EAGAIN || errno == EINTR { continue }
            guard got > 0 else { return answer }
            answer += chunk[..<got]
            // What is told beside the files has its own share.
            guard answer.count <= 2 * limits.outputBytes else { return nil }
        }
    }

    /// It leads a session of its own: whatever it has started, as a printer, ends with it.
    private static func endAll(of child: pid_t) {
        kill(-child, SIGKILL)
        kill(child, SIGKILL)
    }

    private func end(_ child: pid_t) -> Int32 {
        Self.endAll(of: child)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        state.withLock { $0.pid = nil }
        return status
    }

    private func failure(_ status: Int32, isLate: Bool) -> FileConversionError {
        if isLate { return FileConversionError("file_too_large", "The file takes more than \(limits.time) to read.") }
        if status >> 8 == 71 { return FileConversionError("unavailable", "The walls around the converter cannot be raised on this machine.") }
        return FileConversionError("unreadable_file", "The file cannot be read: its reader ended.")
    }
}
