import Foundation
import Kernel
import TestKit
import Testing

@testable import Scripting

@Suite struct FileConverterTests {
    static let converter = FileConverter()

    private func small(_ change: (inout FileConversionLimits) -> Void) -> FileConverter {
        var limits = FileConversionLimits()
        change(&limits)
        return FileConverter(limits: limits)
    }

    private func code(_ converter: FileConverter, _ conversion: FileConversion) async -> String? {
        do { _ = try await converter.convert(conversion) } catch { return (error as? FileConversionError)?.code }
        return nil
    }

    @Test func `an archive comes back as it was packed`() async throws {
        let files: [FileConversion.File] = [
            .init(name: "a/ä.txt", bytes: Array("one".utf8)), .init(name: "b.bin", bytes: Array(repeating: 7, count: 200_000))
        ]
        let packed = try await Self.converter.convert(FileConversion(.zip, settings: ["levels": [0, 6]], files: files)).files[0]
        #expect(packed.bytes.count < 2_000)
        let unpacked = try await Self.converter.convert(FileConversion(.unzip, files: [packed])).files
        #expect(unpacked.map(\.name) == ["a/ä.txt", "b.bin"])
        #expect(unpacked.map(\.bytes) == files.map(\.bytes))
        let gzip = try await Self.converter.convert(FileConversion(.gzip, files: [.init(bytes: Array("hello".utf8))])).files[0]
        let twice = FileConversion.File(bytes: gzip.bytes + gzip.bytes)
        #expect(try await Self.converter.convert(FileConversion(.gunzip, files: [twice])).files[0].bytes == Array("hellohello".utf8))
    }

    @Test func `a page is printed as a tagged PDF whose words can be read again`() async throws {
        let page = "<!DOCTYPE html><html lang=en><title>Invoice</title><p>Ünïts 12.50 &lt;USD&gt;<p><img src='http://127.0.0.1:1/x.png' alt=''>"
        let file = try await Self.converter.convert(FileConversion(.printPage, files: [.init(bytes: Array(page.utf8))])).files[0]
        #expect(String(decoding: file.bytes.prefix(5), as: UTF8.self) == "%PDF-")
        let read = try await Self.converter.convert(FileConversion(.readPDF, files: [file])).facts
        #expect(JSON.object(read).serialized.contains("Ünïts 12.50 <USD>"))
    }

    @Test func `what unpacks to too much is refused`() async throws {
        let zeros = FileConversion.File(name: "z", bytes: [UInt8](repeating: 0, count: 8 << 20))
        let zip = try await Self.converter.convert(FileConversion(.zip, files: [zeros])).files[0]
        let gzip = try await Self.converter.convert(FileConversion(.gzip, files: [zeros])).files[0]
        let ratio = small { $0.ratio = 100 }
        #expect(await code(ratio, FileConversion(.unzip, files: [zip])) == "file_too_large")
        #expect(await code(ratio, FileConversion(.gunzip, files: [gzip])) == "file_too_large")
        #expect(await code(small { $0.outputBytes = 1 << 20 }, FileConversion(.unzip, files: [zip])) == "file_too_large")
        let many = (0..<20).map { FileConversion.File(name: "\($0)", bytes: []) }
        let crowd = try await Self.converter.convert(FileConversion(.zip, files: many)).files[0]
        #expect(await code(small { $0.entries = 10 }, FileConversion(.unzip, files: [crowd])) == "file_too_large")
        #expect(await code(small { $0.inputBytes = 10 }, FileConversion(.gzip, files: [zeros])) == "file_too_large")
    }

    @Test func `a damaged file is an error and nothing more`() async {
        var random = Seeded(1)
        let noise = FileConversion.File(name: "x", bytes: (0..<5_000).map { _ in UInt8.random(in: 0...255, using: &random) })
        let operations: [FileConversion.Operation] = [.unzip, .gunzip, .readPDF]
        for operation in operations { #expect(await code(Self.converter, FileConversion(operation, files: [noise])) == "unreadable_file") }
        for format in ["xlsx", "ods"] {
            #expect(
                await code(Self.converter, FileConversion(.readSheet, settings: ["format": .string(format)], files: [noise])) == "unreadable_file")
        }
        #expect(await code(Self.converter, FileConversion(.readSheet, settings: ["format": "xls"], files: [noise])) == "unsupported_format")
        #expect(await code(FileConverter(program: nil), FileConversion(.gzip, files: [noise])) == "unavailable")
    }

    @Test func `a process that needs too much memory or time is ended`() async {
        let big = FileConversion.File(name: "z", bytes: [UInt8](repeating: 1, count: 64 << 20))
        #expect(await code(small { $0.memoryBytes = 96 << 20 }, FileConversion(.gzip, files: [big])) == "unreadable_file")
        #expect(await code(small { $0.time = .milliseconds(20) }, FileConversion(.gzip, files: [big])) == "file_too_large")
    }

    @Test func `tenants take turns, however many conversions one of them has`() async throws {
        let place = try Program("cat <&3 >>\"$0.log\"")
        let converter = FileConverter(program: place.path, limits: FileConversionLimits.alone)
        let held = try await converter.places.acquire(.test(1))
        await withTaskGroup(of: Void.self) { group in
            for (count, tenant) in [1, 1, 1, 2].enumerated() {
                let conversion = FileConversion(.gzip, settings: ["who": .string("tenant \(tenant)")]).of(.test(UInt64(tenant)))
                group.addTask { _ = try? await converter.convert(conversion) }
                while converter.places.waitingCount <= count { await Task.yield() }
            }
            converter.places.release(held)
            await group.waitForAll()
        }
        let turns = try place.log().split(separator: "tenant ").dropFirst().map { String($0.prefix(1)) }
        #expect(turns == ["2", "1", "1", "1"])
    }

    @Test func `who stops waiting for a conversion is let go at once, and too many that wait are refused`() async throws {
        var limits = FileConversionLimits.alone
        limits.waiting = 1
        let converter = FileConverter(program: "/bin/true", limits: limits)
        let held = try await converter.places.acquire(.test(1))
        let waiting = Task { try await converter.convert(FileConversion(.gzip).of(.test(2))) }
        while converter.places.waitingCount < 1 { await Task.yield() }
        #expect(await code(converter, FileConversion(.gzip).of(.test(2))) == "unavailable")
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        converter.places.release(held)
        #expect(converter.places.busyCount == 0)
    }

    @Test(.timeLimit(.minutes(3))) func `what a converter has started ends with it`() async throws {
        let program = try Program("sleep 600 & echo $! >>\"$0.log\"; wait")
        var limits = FileConversionLimits.alone
        // On a busy machine it may be ended before it has started anything.
        for seconds in [1, 5, 25] where (try? program.log()) == nil {
            limits.time = .seconds(seconds)
            #expect(await code(FileConverter(program: program.path, limits: limits), FileConversion(.printPage)) == "file_too_large")
        }
        let child = try program.log().split(separator: "\n").joined()
        #expect(!child.isEmpty)
        // It may be left as a zombie to whoever takes orphans in.
        while let state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8), !state.contains(") Z ") {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    @Test func `the converter's process can reach nothing`() throws {
        let program = try #require(SandboxProgram.beside("aias-files"))
        let refused = try JSON(parsing: ServiceProcess.output(of: [program, "--probe-walls"])).object ?? [:]
        #expect(refused.count == 6)
        for (attempt, isRefused) in refused { #expect(isRefused == true, "\(attempt) was possible") }
    }

    @Test func `the printer's process can reach no other`() throws {
        let program = try #require(SandboxProgram.beside("aias-files"))
        let refused = try JSON(parsing: ServiceProcess.output(of: [program, "--probe-walls", "--print"])).object ?? [:]
        #expect(refused.count == 8)
        for (attempt, isRefused) in refused { #expect(isRefused == true, "\(attempt) was possible") }
    }
}

/// A shell script in the place of the converter.
private struct Program {
    let path: String

    init(_ script: String) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("converter-\(UUID().uuidString)").path
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    }

    func log() throws -> String { String(decoding: try Data(contentsOf: URL(fileURLWithPath: path + ".log")), as: UTF8.self) }
}

extension FileConversionLimits {
    fileprivate static var alone: FileConversionLimits {
        var limits = FileConversionLimits()
        limits.sideBySide = 1
        return limits
    }
}
