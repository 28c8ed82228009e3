internal import Kernel

/// Runs migrations as the schema's owner, under an advisory lock.
struct PostgresMigrator {
    let connection: PostgresConnection

    /// Any number that nothing else in the database locks.
    private static let lock = 4_119_201

    /// What must be there before a dump is restored: the role that it gives rights to.
    func prepare() throws {
        try connection.simple("BEGIN; SELECT pg_advisory_xact_lock(\(Self.lock))")
        try makeRole()
        try connection.simple("COMMIT")
    }

    func run(_ migrations: [Migration]) throws {
        try connection.simple("SET search_path = public; BEGIN; SELECT pg_advisory_xact_lock(\(Self.lock))")
        do {
            try makeRole()
            try connection.simple(
                "CREATE TABLE IF NOT EXISTS schema_migrations (id text PRIMARY KEY, checksum text NOT NULL); "
                    + "GRANT SELECT ON schema_migrations TO \(PostgresSchema.servingRole)")
            for migration in try MigrationPlan.pending(migrations, done: try done()) {
                for operation in migration.operations {
                    for statement in PostgresSchema.statements(for: operation) { try connection.simple(statement) }
                }
                _ = try connection.run("INSERT INTO schema_migrations (id, checksum) VALUES (\(migration.id), \(migration.checksum))")
            }
            try connection.simple("COMMIT")
        } catch {
            try? connection.simple("ROLLBACK")
            throw error
        }
    }

    /// - Throws: `PersistenceError.schema` where something is still to run.
    func requireCurrent(_ migrations: [Migration]) throws {
        let exists = try connection.run("SELECT to_regclass('public.schema_migrations') IS NOT NULL").rows.first
        let pending: [Migration] =
            try exists?.column(0, as: Bool.self) == true ? try MigrationPlan.pending(migrations, done: try done()) : migrations
        guard pending.isEmpty else {
            throw PersistenceError.schema("The database's schema is behind this program by \(pending.count) migrations: run `aias migrate` first.")
        }
    }

    private func done() throws -> [String: String] {
        var done: [String: String] = [:]
        for row in try connection.run("SELECT id, checksum FROM schema_migrations").rows { done[try row.column(0)] = try row.column(1) }
        return done
    }

    /// Roles are shared by all databases of a server, so that another database may have made it already.
    private func makeRole() throws {
        let role = PostgresSchema.servingRole
        do {
            try make(role)
        } catch PersistenceError.driver("42501", _) {
            throw PersistenceError.unavailable(
                "This login may not make the role \(role). Have somebody who may do so run, once: CREATE ROLE \(role) NOLOGIN; GRANT \(role) TO the role "
                    + "that serves. Then run `aias migrate` again.")
        }
    }

    private func make(_ role: String) throws {
        // Two databases of one server may be migrated at once; each holds a lock of its own only.
        try connection.simple(
            """
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '\(role)') THEN CREATE ROLE \(role) NOLOGIN NOSUPERUSER NOBYPASSRLS; END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
            """)
        try connection.simple("GRANT USAGE ON SCHEMA public TO \(role)")
        // A superuser is a member of every role; it may take this one all the same.
        let isMember = try connection.run("SELECT pg_has_role(current_user, \(role)::name, 'member')").rows.first
        if try isMember?.column(0, as: Bool.self) != true { try connection.simple("GRANT \(role) TO CURRENT_USER") }
    }
}
