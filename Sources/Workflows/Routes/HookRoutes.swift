internal import HTTPSurface
internal import Kernel

struct HookRoutes {
    let webhooks: Webhooks

    var endpoints: [Endpoint] {
        [
            // On a tenant's host all after /hooks/ is the path; on the platform's the first segment is the subdomain.
            .raw(
                .any, "/hooks/{path*}", access: .public("A webhook decides itself who may call it."), summary: "Call a published webhook",
                tag: "Webhooks", bodyLimit: Limits.webhookBodyBytes, opensRefusals: true
            ) { call in
                var path = try call.parameter("path")
                let tenant: TenantID
                if let address = call.address {
                    tenant = try await call.resolve(address)
                } else {
                    let slash = path.utf8.firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
                    tenant = try await call.resolve(.subdomain(path[..<slash].lowercased()))
                    path = String(path[slash...].drop { $0 == "/" })
                }
                try await call.checkRate(of: tenant)
                return try await webhooks.answer(call, tenant: tenant, path: path)
            }
        ]
    }
}
