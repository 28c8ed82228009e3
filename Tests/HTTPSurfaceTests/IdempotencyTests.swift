import Crypto
import HTTPTypes
import Kernel
import Persistence
import Synchronization
import Testing
import TestKit

@testable import HTTPSurface

/// Requests sent twice.
struct IdempotencyTests {
    /// How often the handler ran, and what it does next.
    final class Workshop: Sendable {
        struct State {
            var runs = 0
            var failure: (any Error)?
        }
        let state = Mutex(State())
        var runs: Int { state.withLock { $0.runs } }
        func work() throws -> Int {
            try state.withLock { state in
                state.runs += 1
                if let failure = state.failure { throw failure }
                return state.runs
            }
        }
        func failing(with error: (any Error)?) { state.withLock { $0.failure = error } }
    }
    struct Crash: Error {}

    struct Made: Codable, Sendable {
        var number: Int
        var secret: String?
    }

    static func endpoints(_ workshop: Workshop, _ database: any Database) -> [Endpoint] {
        [
            Endpoint(
                .post, "/v1/notes", access: .tenant("notes.write"), summary: "Create", tag: "Notes", body: CreateNote.self,
                returns: .created(Made.self, location: { "/v1/notes/\($0.number)" })
            ) { _, _ in Made(number: try workshop.work()) },
            Endpoint(
                .post, "/v1/keys", access: .tenant("notes.write"), summary: "Create a key", tag: "Notes", body: CreateNote.self,
                returns: .created(Made.self, holdsSecret: true)
            ) { _, _ in Made(number: try workshop.work(), secret: "aias_very_secret") },
            Endpoint(
                .post, "/v1/transfers", access: .tenant("notes.write"), summary: "Transfer", tag: "Notes", body: CreateNote.self,
                returns: .created(Made.self)
            ) { call, _ in
                let made = Made(number: workshop.runs + 1)
                let prepared = try await call.idempotency?.prepare(made, status: 201)
                try await database.write(in: call.tenant) { tx in try call.idempotency?.record(prepared, in: tx) }
                _ = try workshop.work()
                return made
            },
            Endpoint(
                .post, "/v1/platform", access: .platformOperator, summary: "Platform", tag: "Platform", body: CreateNote.self, returns: .ok(Made.self)
            ) { _, _ in Made(number: try workshop.work()) }
        ]
    }

    @Test(arguments: DatabaseEngine.allCases) func `what is kept of a body cannot be tried out without the key`(engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, _, lease in
            let body = #"{"title":"Milk"}"#
            let headers = ["Authorization": "Bearer key-acme", "Content-Type": "application/json", "Idempotency-Key": "one"]
            #expect(try await harness.call("POST", "/v1/notes", headers: headers, body: body).status == 201)
            func kept() async throws -> [UInt8]? {
                try await lease.database.read(in: SurfaceHarness.acme) { tx in
                    try tx.first("SELECT fingerprint FROM idempotency_keys WHERE tenant_id = \(tx.tenant)") { try $0.column(0) }
                }
            }
            let digest = Array(SHA256.hash(data: Array("POST /v1/notes?\n\(body)".utf8)))
            #expect(try await kept()?.count == digest.count)
            #expect(try await kept() != digest)
            // As it was kept before it was marked.
            _ = try await lease.database.write(in: SurfaceHarness.acme) { tx in
                try tx.execute("UPDATE idempotency_keys SET fingerprint = \(digest) WHERE tenant_id = \(tx.tenant)")
            }
            let again = try await harness.call("POST", "/v1/notes", headers: headers, body: body)
            #expect(again.status == 201 && again.header("Idempotent-Replayed") == "true")
        }
    }

    static func with(_ engine: DatabaseEngine, _ body: (SurfaceHarness, Workshop, DatabaseLease) async throws -> Void) async throws {
        let module = Module.httpSurface
        try await withDatabase(engine, tables: module.tables, migrations: module.migrations) { lease in
            let workshop = Workshop()
            let idempotency = Idempotency(database: lease.database, clock: lease.clock.clock, ids: lease.ids, vault: lease.vault)
            try await body(SurfaceHarness(endpoints(workshop, lease.database), idempotency: idempotency), workshop, lease)
        }
    }

    static let engines = DatabaseEngine.allCases
    static let headers = ["Authorization": "Bearer key-acme", "Idempotency-Key": "one"]
    static let milk = #"{"title":"Milk"}"#

    @Test(arguments: engines) func `the same request is answered the same, and done once`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, _ async throws in
            let first = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            let second = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            #expect(first.status == 201 && second.status == 201)
            #expect(first.body == second.body)
            #expect(second.header("Location") == "/v1/notes/1")
            #expect(first.header("Idempotent-Replayed") == nil && second.header("Idempotent-Replayed") == "true")
            #expect(workshop.runs == 1)
            var others = Self.headers
            others["Idempotency-Key"] = "two"
            #expect(try await harness.call("POST", "/v1/notes", headers: others, body: Self.milk).text == #"{"number":2}"#)
        }
    }

    @Test(arguments: engines) func `a key used for another request is refused`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, _ async throws in
            _ = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            for (path, body) in [("/v1/notes", #"{"title":"Bread"}"#), ("/v1/keys", Self.milk), ("/v1/notes?x=1", Self.milk)] {
                let reply = try await harness.call("POST", path, headers: Self.headers, body: body)
                #expect(reply.status == 409)
                #expect(try reply.json["code"] == "idempotency_key_reused")
            }
            #expect(workshop.runs == 1)
            let session = ["Cookie": "session=ana", "Idempotency-Key": "one"]
            #expect(try await harness.call("POST", "/v1/notes", headers: session, body: Self.milk).text == #"{"number":2}"#)
        }
    }

    @Test(arguments: engines) func `a refused or failed request may be tried again`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, _ async throws in
            workshop.failing(with: Refusal(.limitReached, "limit_reached", "Full."))
            #expect(try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk).status == 403)
            workshop.failing(with: Crash())
            #expect(try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk).status == 500)
            workshop.failing(with: nil)
            #expect(try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk).status == 201)
            #expect(workshop.runs == 3)
        }
    }

    @Test(arguments: engines) func `a claim left by a crash holds for a minute and is then taken over`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, lease async throws in
            let head = RequestHead(
                HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/v1/notes"), path: "/v1/notes", rawQuery: "", requestID: "",
                remoteAddress: { nil })
            let principal = try await SurfaceHarness.authenticate(AuthenticationRequest(head: Self.head(Self.headers), tenant: nil))
            let key = try Idempotency.key("one", principal: principal, head: head, body: Array(Self.milk.utf8))
            let idempotency = Idempotency(database: lease.database, clock: lease.clock.clock, ids: lease.ids, vault: lease.vault)
            guard case .run(let lost) = try await idempotency.start(key, tenant: SurfaceHarness.acme, holdsSecret: false) else {
                Issue.record("the key is free")
                return
            }
            lease.clock.advance(by: .seconds(50))
            let early = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            #expect(early.status == 409)
            #expect(try early.json["code"] == "idempotency_in_flight")
            #expect(early.header("Retry-After") == "10")
            lease.clock.advance(by: .seconds(10))
            let late = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            #expect(late.status == 201)
            // The one that was thought dead wakes: its answer no longer counts, and its own transaction is refused.
            try await idempotency.finish(lost, with: .json(Array("{}".utf8), status: 202))
            let prepared = try await lost.prepare(Made(number: 9), status: 201)
            await #expect(throws: Refusal.self) {
                try await lease.database.write(in: SurfaceHarness.acme) { tx in try lost.record(prepared, in: tx) }
            }
            #expect(try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk).body == late.body)
            #expect(workshop.runs == 1)
        }
    }

    @Test(arguments: engines) func `an answer recorded with the change outlives a crash after the commit`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, _ async throws in
            workshop.failing(with: Crash())
            #expect(try await harness.call("POST", "/v1/transfers", headers: Self.headers, body: Self.milk).status == 500)
            workshop.failing(with: nil)
            let reply = try await harness.call("POST", "/v1/transfers", headers: Self.headers, body: Self.milk)
            #expect(reply.status == 201)
            #expect(reply.text == #"{"number":1}"#)
            #expect(workshop.runs == 1)
        }
    }

    @Test(arguments: engines) func `an answer is recorded with the change of another tenant, or of one where the request names none`(
        _ engine: DatabaseEngine
    ) async throws {
        try await Self.with(engine) { _, _, lease async throws in
            let idempotency = Idempotency(database: lease.database, clock: lease.clock.clock, ids: lease.ids, vault: lease.vault)
            for tenant in [SurfaceHarness.acme, SurfaceHarness.other, nil] {
                let key = IdempotencyKey(actor: "operator:\(tenant?.description ?? "-")", key: "one", digest: [1])
                guard case .run(let claim) = try await idempotency.start(key, tenant: tenant, holdsSecret: false) else {
                    Issue.record("the key is free")
                    return
                }
                try await lease.database.write(in: SurfaceHarness.other) { tx in
                    try claim.record(Made(number: 7), status: 201, in: tx)
                    // What follows belongs to the tenant that is changed, as before.
                    try tx.execute(
                        """
                        INSERT INTO idempotency_keys (tenant_id, actor, key, fingerprint, claim, locked_until, expires_at, is_sealed)
                        VALUES (\(tx.tenant), \(key.actor), 'after', \(key.fingerprint), \(claim.id), \(tx.clock.now()),
                            \(tx.clock.now() + .seconds(60)), \(false))
                        """)
                }
                guard case .answer(let answer) = try await idempotency.start(key, tenant: tenant, holdsSecret: false) else {
                    Issue.record("what was recorded is the answer")
                    return
                }
                #expect(answer.status == 201)
            }
        }
    }

    @Test(arguments: engines) func `an answer with a secret is kept encrypted`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, _, lease async throws in
            let first = try await harness.call("POST", "/v1/keys", headers: Self.headers, body: Self.milk)
            #expect(first.text.contains("aias_very_secret"))
            let kept: [UInt8] = try #require(
                try await lease.database.read(in: SurfaceHarness.acme) { tx in
                    try tx.first("SELECT body FROM idempotency_keys WHERE tenant_id = \(tx.tenant)") { try $0.column(0) }
                })
            #expect(!String(decoding: kept, as: UTF8.self).contains("secret"))
            #expect(try await harness.call("POST", "/v1/keys", headers: Self.headers, body: Self.milk).body == first.body)
        }
    }

    @Test(arguments: engines) func `answers are kept for a day`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, lease async throws in
            _ = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            lease.clock.advance(by: .seconds(24 * 3_600 - 1))
            _ = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            #expect(workshop.runs == 1)
            lease.clock.advance(by: .seconds(1))
            _ = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            #expect(workshop.runs == 2)
        }
    }

    @Test(arguments: engines) func `requests without a tenant are remembered too`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, _ async throws in
            let headers = ["Authorization": "Bearer operator", "Idempotency-Key": "one"]
            let first = try await harness.call("POST", "/v1/platform", headers: headers, body: Self.milk)
            #expect(try await harness.call("POST", "/v1/platform", headers: headers, body: Self.milk).body == first.body)
            #expect(workshop.runs == 1)
            #expect(try await harness.call("POST", "/v1/platform", headers: headers, body: #"{"title":"x"}"#).status == 409)
        }
    }

    @Test(arguments: engines) func `of many that come at once, one is done`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, _ async throws in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(workshop.runs == 1)
            #expect(statuses.contains(201) && statuses.allSatisfy { $0 == 201 || $0 == 409 })
        }
    }

    @Test(arguments: engines) func `a key that is no key is refused`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, _, _ async throws in
            for bad in ["a b", String(repeating: "k", count: 256), "é"] {
                var headers = Self.headers
                headers["Idempotency-Key"] = bad
                #expect(try await harness.call("POST", "/v1/notes", headers: headers, body: Self.milk).status == 400)
            }
        }
    }

    private static func head(_ headers: [String: String]) -> RequestHead {
        var fields = HTTPFields()
        for (name, value) in headers { fields[HTTPField.Name(name)!] = value }
        return RequestHead(
            HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/", headerFields: fields), path: "/", rawQuery: "", requestID: "",
            remoteAddress: { nil })
    }

    @Test(arguments: engines) func `answers are removed when they are kept no longer, and not before`(_ engine: DatabaseEngine) async throws {
        try await Self.with(engine) { harness, workshop, lease async throws in
            let idempotency = Idempotency(database: lease.database, clock: lease.clock.clock, ids: lease.ids, vault: lease.vault)
            let platform = ["Authorization": "Bearer operator", "Idempotency-Key": "one"]
            _ = try await harness.call("POST", "/v1/notes", headers: Self.headers, body: Self.milk)
            _ = try await harness.call("POST", "/v1/platform", headers: platform, body: Self.milk)
            func left() async throws -> [Int] {
                try await idempotency.removeExpired()
                try await idempotency.removeExpired(of: SurfaceHarness.acme)
                let own = try await lease.database.read(in: SurfaceHarness.acme) { tx in
                    try tx.all("SELECT key FROM idempotency_keys WHERE tenant_id = \(tx.tenant)").count
                }
                let shared = try await lease.database.readDirectory { tx in try tx.all("SELECT key FROM directory_idempotency_keys").count }
                return [own, shared]
            }
            lease.clock.advance(by: Limits.idempotencyKeep - .seconds(1))
            #expect(try await left() == [1, 1])
            lease.clock.advance(by: .seconds(1))
            #expect(try await left() == [0, 0])
        }
    }

    /// Several processes on one server, each with connections of its own.
    @Test func `of requests that reach several processes at once one is done`() async throws {
        let tables = PersistenceModule.tables + Module.httpSurface.tables
        let migrations = PersistenceModule.migrations + Module.httpSurface.migrations
        let url = try await PostgresLease.shared.clone(of: migrations)
        let (clock, workshop) = (TestClock(), Workshop())
        let databases = try (0..<3).map { _ in
            try Databases.server(url: url, tables: tables, migrations: migrations, clock: clock.clock, ids: IDs(clock: clock.clock))
        }
        let master = MasterKey()
        let harnesses = databases.map { database in
            let vault = KeyVault(database: database, master: master)
            let idempotency = Idempotency(database: database, clock: clock.clock, ids: IDs(clock: clock.clock), vault: vault)
            return SurfaceHarness(Self.endpoints(workshop, database), idempotency: idempotency)
        }
        for round in 0..<5 {
            var headers = Self.headers
            headers["Idempotency-Key"] = "round-\(round)"
            let sent = headers
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<9 {
                    group.addTask { try await harnesses[index % 3].call("POST", "/v1/notes", headers: sent, body: Self.milk).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.contains(201) && Set(statuses).isSubset(of: [201, 409]))
            #expect(workshop.runs == round + 1)
        }
        for database in databases { await database.close() }
    }
}
