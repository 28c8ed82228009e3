internal import Billing
package import Kernel
internal import Jobs
internal import Logging
internal import Persistence
internal import Tenancy
internal import Workflows

/// Moves tenants to a PostgreSQL server or to a data folder, with everything they have: also runs that wait and what is still to be sent.
///
/// The source is held first: in one transaction the tenant is suspended and everything that could come due is laid aside. Then rows and files are
/// copied, table by table, each compared by count and SHA-256. Last, one transaction at the target puts in what was laid aside and wakes the tenant. So
/// at no time can both sides work for it. A move that was cut off anywhere goes on where it was when it is started again.
package struct Moves: Sendable {
    let source: Platform
    let target: any Database
    let targetBlobs: any BlobStore
    let sharesBlobs: Bool
    let targetName: String
    /// nil where the target is a server.
    private let targetFolder: DataFolder?

    /// What of the directory goes along, in the order in which rows refer to each other. The people are copied between.
    static let directory = ["tenants", "memberships", "api_keys", "data_keys", "one_time_tokens", "branding"]
    /// What stays: the sessions of people, the answers to requests that are a day old at most, the price list, what processes know of themselves, and
    /// the books: a ledger belongs to the deployment that keeps it, so that a tenant that is in it does not move.
    static let left: Set<String> = [
        "users", "sessions", "plans", "directory_idempotency_keys", "workers", "duties", "run_traces", "tenant_moves", "move_parcels",
        "outbox_deliveries", "outbox_subscribers", "ledger_accounts", "ledger_balances", "ledger_postings", "ledger_transfers", "ledger_seals",
        "billing_due", "invoice_series", "invoice_numbers", "provider_events", "payment_providers", "provider_objects", "provider_tasks",
        "revenue_changes", "operator_sessions", "impersonations", "tenant_figures",
        "coupons", "addons", "sales", "split_terms", "payees", "payouts", "affiliates", "referrals", "commissions", "licence_keys",
        "acquisition_spend", "figure_targets", "satisfaction_answers",
        "consulting_offers", "consulting_bookings", "consulting_sheets", "consulting_entries",
        "courses", "course_lessons", "course_questions", "certificates"
    ]

    package struct Report: Sendable {
        package var tenant: String
        /// By table: how many rows, and the digest that both sides have.
        package var tables: [(name: String, rows: Int, digest: String)] = []
        package var blobs = 0
        package var laidAside = 0

        package var json: JSON {
            var members = JSONObject()
            for table in tables { members[table.name] = ["rows": .number(Double(table.rows)), "sha256": .string(table.digest)] }
            return [
                "tenant": .string(tenant), "tables": .object(members), "files": .number(Double(blobs)), "waiting": .number(Double(laidAside))
            ]
        }
    }

    /// - Parameters:
    ///   - place: `postgres://…`, or the path of a folder.
    ///   - blobs: where the target's large payloads lie; nil where both sides share a place, or they lie in the target's folder.
    /// - Throws: where the target is in use or cannot be served from.
    package init(_ source: Platform, to place: String, blobs: String?) async throws {
        self.source = source
        let there = try MoveTarget(place, of: source)
        (target, targetName, targetFolder) = (there.database, there.name, there.folder)
        sharesBlobs = blobs == nil && (source.configuration.blobsPlace != nil || there.folder === source.folder)
        targetBlobs = try BlobPlace.open(
            blobs ?? source.configuration.blobsPlace, folder: there.folder ?? source.folder, environment: source.configuration.environment,
            clock: source.clock)
        let known = Set(Self.directory + TenantHoldStore.working).union(Self.left)
        for table in Platform.tables where table.scope != .tenant {
            guard known.contains(table.name) else { preconditionFailure("nobody said whether \(table.name) goes along with a tenant") }
        }
    }

    package func close() async {
        await target.close()
        await targetBlobs.close()
    }

    /// - Parameter subdomain: nil for all tenants.
    package func run(_ subdomain: String?, onDone: (Report) -> Void) async throws {
        try await requireQuietSource()
        let all = try await source.database.readDirectory { tx in
            try MoveDirectoryStore(tx: tx).tenants().map { Named(id: $0.id, subdomain: $0.subdomain) }
        }
        let wanted = all.filter { subdomain == nil || $0.subdomain == subdomain }
        guard !wanted.isEmpty else { throw Refusal.missing("tenant") }
        try await requireSameMasterKey()
        for tenant in wanted { onDone(try await move(tenant)) }
    }

    struct Named: Sendable {
        var id: TenantID
        var subdomain: String
    }

    private func move(_ tenant: Named) async throws -> Report {
        var report = Report(tenant: tenant.subdomain)
        if let arrived = try await arrival(of: tenant.id), arrived.state == .done {
            // All that may be missing is the source's own note of it.
            try await source.database.writeSystem { tx in try MoveStore(tx: tx).finish(tenant.id) }
            return report
        }
        try await requireRoom(for: tenant)
        let held = try await hold(tenant.id)
        try await announce(tenant.id, held)
        try await copyDirectory(tenant.id)
        report.blobs = try await copyBlobs(tenant.id)
        for table in Self.ordered(Platform.tables.filter { $0.scope == .tenant }) {
            let copied = try await copy(TableRows(table, of: tenant.id))
            report.tables.append((table.name, copied.rows, copied.digest))
        }
        report.laidAside = try await release(tenant.id, held)
        try await source.database.writeSystem { tx in try MoveStore(tx: tx).finish(tenant.id) }
        source.logger.notice("tenant moved", metadata: ["tenant": "\(tenant.subdomain)", "to": "\(targetName)"])
        return report
    }
}

// MARK: Before

extension Moves {
    /// On a server other processes may be at work; a folder belongs to this one.
    private func requireQuietSource() async throws {
        guard source.database.engine == .postgres else { return }
        let clock = source.clock
        var watch = LeaseWatch(lifetime: EngineService.leaseTime)
        var first: Set<HeldLease>?
        while true {
            let asked = clock.elapsed()
            let held = try await source.database.readSystem { tx in try LeaseStore(tx: tx).held() }
            guard !held.isEmpty else { return }
            // A process that died holds its lease until somebody has watched it; one that renews is alive.
            guard Set(held) == first ?? Set(held) else { throw Self.sourceIsInUse }
            first = Set(held)
            let stale = watch.look(held, asked: asked, answered: clock.elapsed())
            for one in stale {
                guard try await source.database.writeSystem({ tx in try LeaseStore(tx: tx).end(one) }) else { throw Self.sourceIsInUse }
            }
            if stale.isEmpty { try await clock.sleep(Self.leaseLook) }
        }
    }

    private static let leaseLook: Duration = .seconds(1)
    private static let sourceIsInUse = Refusal(.conflict, "source_in_use", "Processes work on the source: stop them first.")

    /// What the target has noted of the tenant's coming here.
    private func arrival(of tenant: TenantID) async throws -> MoveStore.Move? {
        let noted = try await target.readSystem { tx in try MoveStore(tx: tx).move(of: tenant) }
        return noted?.direction == .inward ? noted : nil
    }

    private func requireRoom(for tenant: Named) async throws {
        let coming = try await arrival(of: tenant.id) != nil
        let (isThere, named) = try await target.readDirectory { tx in
            (try MoveDirectoryStore(tx: tx).holds(tenant.id), try MoveDirectoryStore(tx: tx).tenant(subdomain: tenant.subdomain))
        }
        guard try await !source.billing.hasBooks(of: tenant.id) else {
            throw Refusal(
                .conflict, "books_stay",
                "\(tenant.subdomain) has a subscription, invoices, credit or sales here, and the books of a deployment cannot be moved to another.")
        }
        guard named == nil || named == tenant.id else {
            throw Refusal(.conflict, "subdomain_taken", "The target has another tenant \(tenant.subdomain).")
        }
        guard !isThere || coming else {
            throw Refusal(.conflict, "tenant_there", "The target has the tenant \(tenant.subdomain) already, and it did not come by a move.")
        }
        for person in try await people(of: tenant.id) {
            guard case .text(let email) = person[1], let id = try? UserID(sqlValue: person[0]) else { continue }
            let other = try await target.readDirectory { tx in try MoveDirectoryStore(tx: tx).person(email: email) }
            guard other == nil || other == id else {
                throw Refusal(.conflict, "person_there", "\(email) is a person of the target already, under another id: remove one of the two first.")
            }
        }
    }

    /// Sealed values go along as they are.
    private func requireSameMasterKey() async throws {
        try requireSameKeyFile()
        guard
            let there = try await target.readDirectory({ tx in
                try MoveDirectoryStore(tx: tx).wrappedKey().map { Wrapped(tenant: $0.tenant, bytes: $0.wrapped) }
            })
        else { return }
        guard source.vault.opens(there.bytes, of: there.tenant) else {
            throw Refusal(
                .conflict, "other_master_key",
                "The target's keys are wrapped by another master key: change the source's to that one (AIAS_MASTER_KEY), or move to an empty database."
            )
        }
    }

    /// A folder that is new gets the source's.
    private func requireSameKeyFile() throws {
        guard let targetFolder, try !source.vault.keepMaster(at: targetFolder.masterKeyPath) else { return }
        throw Refusal(
            .conflict, "other_master_key", "\(targetFolder.masterKeyPath) is another master key than the source's: move to a new folder.")
    }

    private struct Wrapped: Sendable {
        var tenant: TenantID
        var bytes: [UInt8]
    }
}

// MARK: Holding and releasing

extension Moves {
    /// - Returns: the note of it, also where it was held before.
    private func hold(_ tenant: TenantID) async throws -> MoveStore.Move {
        let tables = working(tenant)
        return try await source.database.write(in: tenant) { [targetName] tx in
            let store = MoveStore(tx: tx.system)
            if let noted = try store.move(of: tenant) {
                if noted.direction == .outward {
                    guard noted.peer == targetName else {
                        throw Refusal(.conflict, "moving_elsewhere", "The tenant is on its way to \(noted.peer).")
                    }
                    return noted
                }
                guard noted.state == .done else {
                    throw Refusal(.conflict, "still_arriving", "The tenant is still on its way here from \(noted.peer): end that move first.")
                }
                // That it came here once is over.
                try store.forget(tenant)
            }
            try TenantHoldStore(tx: tx).hold(tables, peer: targetName)
            guard let held = try store.move(of: tenant) else { preconditionFailure("what was just written is there") }
            return held
        }
    }

    private func announce(_ tenant: TenantID, _ held: MoveStore.Move) async throws {
        let move = MoveStore.Move(direction: .inward, state: .copying, statusBefore: held.statusBefore, peer: MoveTarget.name(of: source))
        try await target.writeSystem { tx in
            if try MoveStore(tx: tx).move(of: tenant) == nil { try MoveStore(tx: tx).begin(move, of: tenant) }
        }
    }

    private func release(_ tenant: TenantID, _ held: MoveStore.Move) async throws -> Int {
        var laidAside: [(rows: TableRows, content: [[SQLValue]])] = []
        let names = TenantHoldStore.working + [TenantHoldStore.deliveries]
        for name in names {
            guard let table = Platform.tables.first(where: { $0.name == name }) else { preconditionFailure("\(name) is a table") }
            let content = try await source.database.readSystem { tx in try MoveStore(tx: tx).laidAside(of: name, tenant: tenant) }
            laidAside.append((TableRows(table, of: tenant), content))
        }
        let (parcels, peer) = (laidAside, MoveTarget.name(of: source))
        try await target.write(in: tenant) { tx in try TenantHoldStore(tx: tx).release(parcels, status: held.statusBefore, peer: peer) }
        return parcels.reduce(0) { $0 + $1.content.count }
    }

    private func working(_ tenant: TenantID) -> [TableRows] {
        TenantHoldStore.working.compactMap { name in Platform.tables.first { $0.name == name }.map { TableRows($0, of: tenant) } }
    }
}

// MARK: Copying

extension Moves {
    private func copyDirectory(_ tenant: TenantID) async throws {
        for name in Self.directory {
            guard let table = Platform.tables.first(where: { $0.name == name }) else { preconditionFailure("\(name) is a table") }
            if name == "memberships", let users = Platform.tables.first(where: { $0.name == "users" }) {
                try await TableRows(users, of: tenant).insert(people(of: tenant), into: target)
            }
            // The tenant is suspended on both sides until it is released.
            _ = try await copy(TableRows(table, of: tenant))
        }
    }

    private func people(of tenant: TenantID) async throws -> [[SQLValue]] {
        guard let users = Platform.tables.first(where: { $0.name == "users" }) else { preconditionFailure("people have a table") }
        let members = try await source.database.readDirectory { tx in try MoveDirectoryStore(tx: tx).members(of: tenant) }
        var found: [[SQLValue]] = []
        // The table of people names no tenant: each is found by the key alone.
        for person in members {
            found += try await TableRows(users, of: TenantID(high: person.high, low: person.low)).page(in: source.database, after: nil)
        }
        // Who runs this deployment does not run the other one for that.
        guard let place = users.columns.firstIndex(where: { $0.name == "is_operator" }) else { preconditionFailure("people are operators or not") }
        for index in found.indices { found[index][place] = .boolean(false) }
        return found
    }

    /// Goes on after the last row that is there; where the two sides differ in the end, the table is copied anew.
    /// - Returns: what both sides have.
    private func copy(_ rows: TableRows) async throws -> TableRows.Fingerprint {
        let wanted = try await rows.fingerprint(in: source.database)
        for isAnew in [false, true] {
            if isAnew { try await rows.removeAll(from: target) }
            var last = isAnew ? nil : try await lastKey(rows)
            while true {
                let page = try await rows.page(in: source.database, after: last)
                try await rows.insert(page, into: target)
                guard page.count == TableRows.pageRows, let row = page.last else { break }
                last = rows.key(of: row)
            }
            if try await rows.fingerprint(in: target) == wanted { return wanted }
        }
        throw Refusal(
            .conflict, "copy_differs", "The copy of \(rows.table.name) is not what the source has. Nothing works at the target; start the move again."
        )
    }

    private func lastKey(_ rows: TableRows) async throws -> [SQLValue]? {
        var last: [SQLValue]?
        while true {
            let page = try await rows.page(in: target, after: last)
            guard let row = page.last else { return last }
            last = rows.key(of: row)
            if page.count < TableRows.pageRows { return last }
        }
    }

    /// - Returns: how many files were there to copy.
    private func copyBlobs(_ tenant: TenantID) async throws -> Int {
        var (count, last) = (0, PayloadHash?.none)
        while true {
            let after = last
            let page = try await source.database.read(in: tenant) { tx in try MovePayloadStore(tx: tx).blobs(after: after) }
            for hash in page where !sharesBlobs { try await copyBlob(hash, tenant) }
            count += page.count
            guard page.count == MovePayloadStore.pageRows else { return count }
            last = page.last
        }
    }

    private func copyBlob(_ hash: PayloadHash, _ tenant: TenantID) async throws {
        let (from, to) = (source.blobs, targetBlobs)
        let bytes = try await Backups.onThread { try from.load(hash, tenant: tenant) }
        guard let bytes, PayloadHash(of: bytes) == hash else {
            throw Refusal(.conflict, "file_damaged", "The file \(hash.hex) is missing or damaged at the source.")
        }
        try await to.keep(bytes, hash, tenant: tenant)
    }

    /// Tables after those that they refer to.
    static func ordered(_ tables: [Table]) -> [Table] {
        var (left, done) = (tables, [Table]())
        while !left.isEmpty {
            let ready = left.filter { table in
                table.foreignKeys.allSatisfy { key in key.table == table.name || !left.contains { $0.name == key.table } }
            }
            precondition(!ready.isEmpty, "tables do not refer to each other in a circle")
            done += ready
            left.removeAll { table in ready.contains { $0.name == table.name } }
        }
        return done
    }
}
