internal import HTTPSurface
internal import Kernel

/// The doors for visitors: on a tenant's host all after the first segment is the path; on the platform's the next one is the subdomain.
struct FormRoutes {
    let forms: Forms

    var endpoints: [Endpoint] {
        let published: Access = .public("A form decides itself who may fill it in.")
        let signed: Access = .public("Whoever holds the signed address may answer.")
        return [
            .page(.get, "/forms/{path*}", access: published, summary: "A published form") { call in
                let (tenant, path) = try await Self.place(call)
                return try await forms.show(call, tenant: tenant, path: path)
            },
            .page(.post, "/forms/{path*}", access: published, summary: "Fill in a published form", bodyLimit: Limits.formBodyBytes) { call in
                let (tenant, path) = try await Self.place(call)
                return try await forms.submit(call, tenant: tenant, path: path)
            },
            .page(.get, "/answers/{path*}", access: signed, summary: "The page of a waiting run") { call in
                let (tenant, path) = try await Self.place(call)
                return try await forms.look(call, tenant: tenant, path: path)
            },
            .page(.post, "/answers/{path*}", access: signed, summary: "Answer a waiting run", bodyLimit: Limits.formBodyBytes) { call in
                let (tenant, path) = try await Self.place(call)
                return try await forms.take(call, tenant: tenant, path: path)
            },
            .raw(
                .any, "/waiting/{path*}", access: signed, summary: "Call a waiting run", tag: "Webhooks", bodyLimit: Limits.webhookBodyBytes
            ) { call in
                let (tenant, path) = try await Self.place(call)
                return try await forms.call(call, tenant: tenant, path: path)
            }
        ]
    }

    private static func place(_ call: EndpointCall) async throws -> (tenant: TenantID, path: String) {
        var path = try call.parameter("path")
        let tenant: TenantID
        if let address = call.address {
            tenant = try await call.resolve(address)
            // Addresses of runs carry the subdomain on every host.
            let first = path.prefix { $0 != "/" }
            if !call.head.path.contains("/forms/"), RunID(String(first)) == nil { path = String(path.dropFirst(first.count).drop { $0 == "/" }) }
        } else {
            let slash = path.firstIndex(of: "/") ?? path.endIndex
            tenant = try await call.resolve(.subdomain(path[..<slash].lowercased()))
            path = String(path[slash...].drop { $0 == "/" })
        }
        try await call.checkRate(of: tenant)
        return (tenant, path)
    }
}
