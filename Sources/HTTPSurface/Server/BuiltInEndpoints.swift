internal import Kernel

/// Endpoints for those who run the program.
extension Endpoint {
    /// `/healthz`: the process answers. `/readyz`: it can do its work; `ready` gives what stands in the way, empty where nothing does.
    /// `/metrics`: Prometheus' text format.
    package static func operations(
        ready: @escaping @Sendable () async -> [String], metrics: @escaping @Sendable () async -> String
    ) -> [Endpoint] {
        [
            .raw(
                .get, "/healthz", access: .public("Load balancers have no credentials."), summary: "Whether the process answers", tag: "Operations",
                answers: "text/plain; charset=utf-8"
            ) { _ in .text("ok\n") },
            .raw(
                .get, "/readyz", access: .public("Load balancers have no credentials."), summary: "Whether it can do its work", tag: "Operations",
                answers: "text/plain; charset=utf-8", errors: [ErrorDeclaration(.unavailable, "not_ready", "Something it needs is away.")]
            ) { _ in
                let faults = await ready()
                guard faults.isEmpty else { throw Refusal(.unavailable, "not_ready", faults.joined(separator: " ")) }
                return .text("ready\n")
            },
            .raw(
                .get, "/metrics", access: .public("Scrapers on the inside; the proxy keeps it from the outside."), summary: "Figures for Prometheus",
                tag: "Operations", answers: "text/plain; version=0.0.4; charset=utf-8"
            ) { _ in .text(await metrics(), contentType: "text/plain; version=0.0.4; charset=utf-8") }
        ]
    }
}
