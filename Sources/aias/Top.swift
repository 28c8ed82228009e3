internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel
internal import Persistence

struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch a running server: runs, queues, lag, memory, and the tenants with the most runs in the last five minutes.")

    @OptionGroup var data: DataOptions
    @Option(help: "Seconds between two looks.") var interval = 2.0
    @Flag(help: "Look once.") var once = false
    @Flag(help: "Print JSON, one line a look.") var json = false

    func validate() throws {
        guard interval >= 0.2, interval <= 3_600 else { throw ValidationError("The interval is from 0.2 to 3600 seconds.") }
    }

    func run() async throws {
        try await explaining {
            let path = try DataFolder.socketPath(of: try data.configuration().dataFolder)
            var before: JSON?
            while true {
                let status = try ControlSocket.ask(path, "status", [:])
                if json { print(status.serialized) } else { show(TopScreen(status: status, before: before, interval: interval).text) }
                if once { return }
                before = status
                try await Task.sleep(for: .seconds(interval))
            }
        }
    }

    /// Unbuffered; a watched screen is drawn over in place.
    private func show(_ text: String) {
        let isTerminal = !once && isatty(STDOUT_FILENO) == 1
        FileHandle.standardOutput.write(Data((isTerminal ? "\u{1B}[H\u{1B}[2J" + text : text).utf8))
    }
}

/// One look as a terminal shows it.
struct TopScreen {
    let status: JSON
    /// The look before, for what happened since.
    let before: JSON?
    let interval: Double

    var text: String {
        let runs = status["runs"] ?? [:]
        let queues = status["queues"] ?? [:]
        let process = status["process"] ?? [:]
        var lines: [String] = [
            "aias  \(status["at"]?.text?.prefix(19) ?? "")Z  up \(uptime)  memory \((process["memory_bytes"]?.integer ?? 0) >> 20) MiB  "
                + "connections \(count(process["connections"]))  streams \(count(process["event_streams"]))  sandboxes \(count(process["sandbox_workers"]))",
            "runs      live \(count(runs["live"]))  parked \(count(runs["parked"]))  started \(count(runs["started"]))\(rate("runs", "started"))  "
                + "finished \(count(runs["finished"]))\(rate("runs", "finished"))",
            "database  commits \(count(status["database"]?["commits"]))\(rate("database", "commits"))  "
                + "transactions \(count(status["database"]?["transactions"]))\(rate("database", "transactions"))",
            "", column("queue", "waiting", "lag")
        ]
        for (title, depth, lag) in [
            ("timers", "timers_due", "timers_lag_seconds"), ("outbox", "outbox_pending", "outbox_lag_seconds"),
            ("webhooks out", "webhooks_pending", "webhooks_lag_seconds")
        ] {
            lines.append(column(title, count(queues[depth]), "\(queues[lag]?.double ?? 0) s"))
        }
        if let dead = queues["outbox_dead"]?.integer, dead > 0 { lines.append("outbox    \(dead) deliveries were given up") }
        lines += ["", row("tenant", "started", "succeeded", "failed")]
        for tenant in status["tenants"]?.array ?? [] {
            lines.append(row(tenant["subdomain"]?.text ?? "", count(tenant["started"]), count(tenant["succeeded"]), count(tenant["failed"])))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var uptime: String {
        let seconds = status["uptime_seconds"]?.integer ?? 0
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
        return hours > 0 ? "\(hours) h \(minutes) min" : "\(minutes) min \(seconds % 60) s"
    }

    private func count(_ value: JSON?) -> String { String(value?.integer ?? 0) }

    private func rate(_ group: String, _ name: String) -> String {
        guard let now = status[group]?[name]?.double, let then = before?[group]?[name]?.double else { return "" }
        return " (\(((now - then) / interval * 10).rounded() / 10)/s)"
    }

    private func column(_ name: String, _ depth: String, _ lag: String) -> String { padded(name, 16) + right(depth, 10) + right(lag, 12) }

    private func row(_ name: String, _ started: String, _ succeeded: String, _ failed: String) -> String {
        padded(name, 40) + right(started, 10) + right(succeeded, 12) + right(failed, 10)
    }

    private func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
    private func right(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(1, width - text.count)) + text }
}
