internal import Billing
internal import Foundation
package import HTTPSurface
internal import Jobs
internal import Kernel
package import Notifications
internal import Outbound
internal import Persistence

/// What a start is told: by the command's options first, by the environment second.
package struct PlatformConfiguration: Sendable {
    package var dataFolder: String
    /// `postgres://…` in place of the embedded database.
    package var databaseURL: String?
    /// The same where the command names it, and not the environment.
    package var namedDatabaseURL: String?
    /// That of the schema's owner, for migrations and restores alone; `databaseURL` where there is none.
    package var databaseOwnerURL: String?
    package var binding: HTTPServer.Binding
    /// Where `/healthz`, `/readyz` and `/metrics` are served apart from the gateway's port, in any role; nowhere where it is nil.
    package var healthBinding: HTTPServer.Binding?
    /// How browsers and webhooks reach the platform: `https://aias.example`.
    package var publicURL: String
    package var relay: SMTPRelay?
    /// `host:port` pairs that workflows may reach although their addresses are private.
    package var outboundAllow: [String]
    /// Where `Web` and `Locales` lie.
    package var home: String
    /// What scrapers of `/metrics` show; without it only this machine may read it.
    var metricsToken: String? { environment["AIAS_METRICS_TOKEN"] }
    /// Without what is empty.
    package var environment: [String: String]
    /// What this process does; all of it where nothing is said.
    package var roles: Set<Role> = Set(Role.allCases)
    /// Where large payloads lie, shared by all processes: a folder, or `s3://bucket/prefix`; a folder of the data folder where it is nil.
    package var blobsPlace: String?
    /// What carries wakes between processes; the database itself where it is nil.
    var broker: BrokerAddress?
    /// Proxies in front of this process, whose `X-Forwarded-For` is believed.
    var proxies: [AddressRange]
    /// Runs that this process works on at once; further ones wait for a process with room.
    package var liveRuns: Int
    /// For how long a run is kept after its end; for ever where it is nil.
    package var runAge: Duration?
    /// Event streams that one tenant may have open in this process.
    package var streamsPerTenant: Int

    /// The parts of a deployment that may be processes of their own, on a server's database.
    package enum Role: String, Sendable, CaseIterable {
        /// Answers requests; starts the runs of webhooks itself as far as it has room.
        case gateway
        /// Takes up runs whose time has come, that wait for room, or whose process died.
        case worker
        /// Fires schedules, delivers events, keeps house.
        case scheduler
    }

    /// - Throws: a refusal for values that make no sense.
    package init(
        dataFolder: String? = nil, databaseURL: String? = nil, host: String? = nil, port: Int? = nil, roles: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        // A variable that is empty is one that is not set.
        let environment = environment.filter { !$0.value.isEmpty }
        func filled(_ name: String) -> String? { environment[name] }
        self.dataFolder = dataFolder ?? filled("AIAS_DATA") ?? "./data"
        self.databaseURL = databaseURL ?? filled("AIAS_DATABASE_URL")
        namedDatabaseURL = databaseURL
        databaseOwnerURL = filled("AIAS_DATABASE_OWNER_URL")
        let port = try port ?? filled("AIAS_PORT").map(Self.port) ?? 8_080
        binding = HTTPServer.Binding(host: host ?? filled("AIAS_HOST") ?? "127.0.0.1", port: port)
        switch (filled("AIAS_TLS_CERTIFICATE"), filled("AIAS_TLS_KEY")) {
        case (let chain?, let key?): binding.tls = HTTPServer.TLSFiles(certificateChain: chain, privateKey: key)
        case (nil, nil): break
        default: throw Refusal.invalid("tls", "tls_incomplete", "TLS needs both AIAS_TLS_CERTIFICATE and AIAS_TLS_KEY.")
        }
        binding.connections = try filled("AIAS_CONNECTIONS").map(Self.connections) ?? Limits.connections
        healthBinding = try filled("AIAS_HEALTH_ADDRESS").map(Self.healthBinding)
        publicURL = try filled("AIAS_PUBLIC_URL").map(Self.publicURL) ?? "http://localhost:\(port)"
        relay = try filled("AIAS_SMTP_URL").map { try SMTPRelay($0, from: filled("AIAS_SMTP_FROM") ?? "AIAS <noreply@localhost>") }
        outboundAllow = try Self.outboundAllow(filled("AIAS_OUTBOUND_ALLOW") ?? "")
        home = filled("AIAS_HOME") ?? FileManager.default.currentDirectoryPath
        self.environment = environment
        blobsPlace = filled("AIAS_BLOBS")
        broker = try filled("AIAS_BROKER").map { try BrokerAddress($0) }
        proxies = try (filled("AIAS_TRUSTED_PROXIES") ?? "").split(separator: ",").map { try Self.proxy($0.trimmingCharacters(in: .whitespaces)) }
        liveRuns = try filled("AIAS_LIVE_RUNS").map(Self.liveRuns) ?? 1_000
        runAge = try filled("AIAS_KEEP_RUNS_DAYS").map(Self.runAge)
        streamsPerTenant = try filled("AIAS_STREAMS_PER_TENANT").map(Self.streamsPerTenant) ?? Limits.streamsPerTenant
        self.roles = try Self.roles(roles ?? filled("AIAS_ROLES"))
        guard self.databaseURL != nil || broker == nil else {
            throw Refusal.invalid(
                "broker", "broker_needs_server", "A broker carries wakes between processes on a PostgreSQL server; name that with --database-url.")
        }
        guard self.databaseURL != nil || self.roles == Set(Role.allCases) else {
            throw Refusal.invalid(
                "roles", "roles_need_server", "Roles in processes of their own need a PostgreSQL server; name it with --database-url.")
        }
    }

    private static func roles(_ text: String?) throws -> Set<Role> {
        guard let text else { return Set(Role.allCases) }
        let roles = try text.split(separator: ",").map { part in
            guard let role = Role(rawValue: part.trimmingCharacters(in: .whitespaces)) else {
                let names = Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw Refusal.invalid("roles", "unknown_role", "Roles are \(names); AIAS_ROLES or --roles names some of them, with commas between.")
            }
            return role
        }
        guard !roles.isEmpty else { throw Refusal.invalid("roles", "unknown_role", "Name at least one role.") }
        return Set(roles)
    }

    /// Whether an address is that of a proxy in front; nil where there is none.
    var isProxy: (@Sendable (_ address: String) -> Bool)? {
        guard !proxies.isEmpty else { return nil }
        return { [proxies] text in
            guard let address = IPAddress(text)?.withoutMapping else { return false }
            return proxies.contains { $0.contains(address) }
        }
    }

    /// `9464`, which is on loopback, `10.0.0.5:9464` or `[::1]:9464`.
    private static func healthBinding(_ text: String) throws -> HTTPServer.Binding {
        let colon = text.lastIndex(of: ":")
        let host: String = colon.map { String(text[..<$0]).trimmingCharacters(in: CharacterSet(charactersIn: "[]")) } ?? "127.0.0.1"
        let digits: String = colon.map { String(text[text.index(after: $0)...]) } ?? text
        guard !host.isEmpty, let port = Int(digits), (0...65_535).contains(port) else {
            throw Refusal.invalid(
                "health_address", "bad_health_address",
                "AIAS_HEALTH_ADDRESS is a port of this machine, or an address and a port: 9464, 10.0.0.5:9464 or [::1]:9464.")
        }
        return HTTPServer.Binding(host: host, port: port)
    }

    /// Paths are put behind it as it is.
    private static func publicURL(_ text: String) throws -> String {
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme ?? ""), url.host()?.isEmpty == false else {
            throw Refusal.invalid("public_url", "bad_public_url", "AIAS_PUBLIC_URL looks like https://flows.example.com, and not like \(text).")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private static func outboundAllow(_ text: String) throws -> [String] {
        let patterns = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        do {
            _ = try AddressPolicy(allowing: patterns)
        } catch let error as OutboundError {
            throw Refusal.invalid("outbound_allow", "bad_outbound_allow", "AIAS_OUTBOUND_ALLOW lists what may be reached: \(error.message)")
        }
        return patterns
    }

    private static func proxy(_ text: String) throws -> AddressRange {
        guard let range = AddressRange(text) else {
            throw Refusal.invalid(
                "trusted_proxies", "bad_trusted_proxies",
                "AIAS_TRUSTED_PROXIES lists addresses and blocks of addresses, such as 127.0.0.1,::1,10.0.0.0/8; \(text) is none.")
        }
        return range
    }

    private static func connections(_ text: String) throws -> Int {
        guard let count = Int(text), (16...1_000_000).contains(count) else {
            throw Refusal.invalid("connections", "bad_connections", "AIAS_CONNECTIONS is a number from 16 to 1,000,000.")
        }
        return count
    }

    private static func liveRuns(_ text: String) throws -> Int {
        guard let count = Int(text), (0...100_000).contains(count) else {
            throw Refusal.invalid("live_runs", "bad_live_runs", "AIAS_LIVE_RUNS is a number from 0 to 100,000.")
        }
        return count
    }

    private static func streamsPerTenant(_ text: String) throws -> Int {
        guard let count = Int(text), (1...1_000_000).contains(count) else {
            throw Refusal.invalid("streams_per_tenant", "bad_streams_per_tenant", "AIAS_STREAMS_PER_TENANT is a number from 1 to 1,000,000.")
        }
        return count
    }

    /// The books of a day are held against its runs on the next one.
    private static func runAge(_ text: String) throws -> Duration {
        guard let days = Int(text), (2...36_500).contains(days) else {
            throw Refusal.invalid("keep_runs_days", "bad_keep_runs_days", "AIAS_KEEP_RUNS_DAYS is a number from 2 to 36,500.")
        }
        return .seconds(days * 86_400)
    }

    /// Who sells the plans, as it stands on invoices: `AIAS_SELLER_NAME`, `_COUNTRY`, `_STREET`, `_POSTAL_CODE`, `_CITY`, `_VAT_ID`, `_SERIES`.
    var seller: SellerTerms {
        func text(_ name: String) -> String { environment[name] ?? "" }
        let (name, vatID, series) = (text("AIAS_SELLER_NAME"), text("AIAS_SELLER_VAT_ID"), text("AIAS_SELLER_SERIES"))
        return SellerTerms(
            party: Party(
                name: name.isEmpty ? "AIAS" : name, street: text("AIAS_SELLER_STREET"), postalCode: text("AIAS_SELLER_POSTAL_CODE"),
                city: text("AIAS_SELLER_CITY"),
                country: text("AIAS_SELLER_COUNTRY").isEmpty ? "US" : text("AIAS_SELLER_COUNTRY"), vatId: vatID.isEmpty ? nil : vatID),
            series: series.isEmpty ? "AIAS" : series)
    }

    /// Drops the login that owns the schema, here and for processes that this one starts: what serves must not be able to lift walls between tenants.
    /// - Returns: whether it was given.
    package mutating func forgetOwner() -> Bool {
        let isGiven = databaseOwnerURL != nil
        databaseOwnerURL = nil
        environment["AIAS_DATABASE_OWNER_URL"] = nil
        unsetenv("AIAS_DATABASE_OWNER_URL")
        return isGiven
    }

    var publicHost: String { URL(string: publicURL)?.host() ?? "localhost" }
    var usesTLS: Bool { publicURL.hasPrefix("https://") }

    private static func port(_ text: String) throws -> Int {
        guard let port = Int(text), (0...65_535).contains(port) else {
            throw Refusal.invalid("port", "bad_port", "AIAS_PORT is a number from 0 to 65535.")
        }
        return port
    }
}
