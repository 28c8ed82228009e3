internal import Kernel

/// Endpoints for those who run the program.
extension Endpoint {
    /// Of the endpoints for those who run the program.
    static let operationsTag = "Operations"

    /// `/healthz`: the process answers. `/readyz`: it can do its work; `ready` gives what stands in the way, empty where nothing does.
    /// `/metrics`: Prometheus' text format, for those who show `metricsToken`; where there is none, for callers on this machine that come through
    /// no proxy.
    package static func operations(
        ready: @escaping @Sendable () async -> [String], metricsToken: String? = nil,
        metrics: @escaping @Sendable () async -> String
    ) -> [Endpoint] {
        [
            .raw(
                .get, "/healthz", access: .public("Load balancers have no credentials."), summary: "Whether the process answers", tag: operationsTag,
                answers: "text/plain; charset=utf-8"
            ) { _ in .text("ok\n") },
            .raw(
                .get, "/readyz", access: .public("Load balancers have no credentials."), summary: "Whether it can do its work", tag: operationsTag,
                answers: "text/plain; charset=utf-8", errors: [ErrorDeclaration(.unavailable, "not_ready", "Something it needs is away.")]
            ) { _ in
                let faults = await ready()
                guard faults.isEmpty else { throw Refusal(.unavailable, "not_ready", faults.joined(separator: " ")) }
                return .text("ready\n")
            },
            .raw(
                .get, "/metrics", access: .public("Scrapers are nobody's user: they show a token of their own, or come from this machine."),
                summary: "Figures for Prometheus", tag: operationsTag, answers: "text/plain; version=0.0.4; charset=utf-8",
                errors: [
                    ErrorDeclaration(.unauthenticated, "metrics_token", "The token is missing or wrong."),
                    ErrorDeclaration(.forbidden, "metrics_elsewhere", "Without a token figures are for this machine alone.")
                ]
            ) { call in
                try admitScraper(call.head, token: metricsToken)
                return .text(await metrics(), contentType: "text/plain; version=0.0.4; charset=utf-8")
            }
        ]
    }

    /// - Throws: for whoever may not read the figures.
    private static func admitScraper(_ head: RequestHead, token: String?) throws {
        if let token {
            let shown = Array((head.bearerToken ?? "").utf8)
            guard shown.isEqualInConstantTime(to: Array(token.utf8)) else {
                throw Refusal(.unauthenticated, "metrics_token", "Figures are for those who show the token of AIAS_METRICS_TOKEN.")
            }
            return
        }
        let isForwarded = ["X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"].contains { head.header($0) != nil }
        // Nor for a page that a browser on this machine shows, whose own host leads to this machine.
        guard !isForwarded, isOfThisMachine(head.host), let address = head.clientAddress, ClientNetwork.isLoopback(address) else {
            throw Refusal(.forbidden, "metrics_elsewhere", "Figures are for this machine alone; set AIAS_METRICS_TOKEN to read them from elsewhere.")
        }
    }

    /// Whether a host, with or without a port, is a name of the machine that is asked.
    private static func isOfThisMachine(_ host: String) -> Bool {
        if host.hasPrefix("[") { return ClientNetwork.isLoopback(String(host.dropFirst().prefix { $0 != "]" })) }
        let name = host.prefix { $0 != ":" }
        return name == "localhost" || (name.hasPrefix("127.") && name.allSatisfy { $0.isNumber || $0 == "." })
    }
}

extension [UInt8] {
    /// Takes as long whatever the first difference is.
    package func isEqualInConstantTime(to other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        return zip(self, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
