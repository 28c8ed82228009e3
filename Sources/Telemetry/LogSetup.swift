internal import Foundation
package import Kernel
package import Logging
internal import Synchronization

/// Chooses where and how the process logs; called once, first thing in `main`.
package enum LogSetup {
    package enum Format: String, Sendable, CaseIterable {
        /// One JSON object a line: `time`, `level`, `logger`, `message`, then the metadata as members of `facts`.
        case json
        /// `12:34:56.789 info gateway: message key=value`
        case readable
    }

    /// Everything goes to standard error; standard output belongs to the command's answers.
    /// - Parameter environment: `AIAS_LOG_FORMAT` (`json` or `readable`, the default) and `AIAS_LOG_LEVEL` (`info` by default). Another value is told,
    ///   and the default taken.
    package static func bootstrap(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let choice = Choice(environment: environment)
        let sink = LineSink.standardError
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: choice.format, level: choice.level, sink: sink) }
        for fault in choice.faults {
            Logger(label: "aias").warning(
                "a setting of the log is not understood",
                metadata: ["name": "\(fault.name)", "value": "\(fault.value)", "accepted": "\(fault.accepted)"])
        }
    }

    /// What the environment says of the log.
    struct Choice: Sendable {
        struct Fault: Sendable, Hashable {
            var name: String
            var value: String
            /// All that is understood, with commas between.
            var accepted: String
        }

        private(set) var format = Format.readable
        private(set) var level = Logger.Level.info
        private(set) var faults: [Fault] = []

        init(environment: [String: String]) {
            if let given: Format = read("AIAS_LOG_FORMAT", environment) { format = given }
            if let given: Logger.Level = read("AIAS_LOG_LEVEL", environment) { level = given }
        }

        private mutating func read<Value: CaseIterable & RawRepresentable>(_ name: String, _ environment: [String: String]) -> Value?
        where Value.RawValue == String {
            guard let text = environment[name], !text.isEmpty else { return nil }
            if let value = Value(rawValue: text.lowercased()) { return value }
            faults.append(Fault(name: name, value: text, accepted: Value.allCases.map(\.rawValue).joined(separator: ", ")))
            return nil
        }
    }
}

/// Writes whole lines, one at a time.
package final class LineSink: Sendable {
    package static let standardError = LineSink { line in
        line.withUnsafeBytes { _ = Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private let lock = Mutex<Void>(())
    private let emit: @Sendable ([UInt8]) -> Void

    package init(emit: @escaping @Sendable ([UInt8]) -> Void) { self.emit = emit }

    func write(_ line: [UInt8]) { lock.withLock { _ in emit(line) } }
}

/// A log handler that renders each event as one line.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    let label: String
    let format: LogSetup.Format
    let sink: LineSink
    let clock: Kernel.Clock

    package init(label: String, format: LogSetup.Format, level: Logger.Level, sink: LineSink, clock: Kernel.Clock = .system) {
        self.label = label
        self.format = format
        self.logLevel = level
        self.sink = sink
        self.clock = clock
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var facts = metadata
        if let provided = metadataProvider?.get() { facts.merge(provided) { _, new in new } }
        if let own = event.metadata { facts.merge(own) { _, new in new } }
        if let error = event.error { facts["error"] = "\(error)" }
        let line =
            switch format {
            case .json: json(event, facts)
            case .readable: readable(event, facts)
            }
        sink.write(Array((line + "\n").utf8))
    }

    private func json(_ event: LogEvent, _ facts: Logger.Metadata) -> String {
        var object: JSONObject = [
            "time": .string(clock.now().description), "level": .string(event.level.rawValue), "logger": .string(label),
            "message": .string(event.message.description)
        ]
        if !facts.isEmpty {
            object["facts"] = .object(JSONObject(facts.sorted { $0.key < $1.key }.map { ($0.key, JSON.string("\($0.value)")) }))
        }
        return JSON.object(object).serialized
    }

    /// Control characters are escaped, so that nothing logged can forge another line.
    private func readable(_ event: LogEvent, _ facts: Logger.Metadata) -> String {
        let time = clock.now().description.dropFirst(11).prefix(12)
        var line = "\(time) \(event.level.rawValue) \(label): \(event.message)"
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        return line.unicodeScalars.reduce(into: "") { text, scalar in
            text += scalar.value < 32 ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }
}
