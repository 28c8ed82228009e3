internal import Kernel

/// Who may serve, and whether the walls between tenants stand. Row level security is silently off for superusers, for roles that bypass it
/// and, where it is not forced, for a table's owner (PostgreSQL documentation, 5.8), so that a start without these checks would look well.
struct PostgresRoles {
    let connection: PostgresConnection

    /// A process that was stopped, or cut off, in the middle of a transaction keeps the locks of its rows from all others for so long.
    static let abandonedAfterSeconds = 10

    /// Readies a connection for serving: takes the serving role where the login may, then refuses a role that could step over the walls.
    /// - Throws: `PersistenceError.unavailable` with what to do.
    static func serve(_ connection: PostgresConnection) throws {
        try connection.simple("SET TimeZone = 'UTC'; SET synchronous_commit = on; SET search_path = public")
        try connection.simple(
            """
            SET idle_in_transaction_session_timeout = '\(abandonedAfterSeconds)s'; SET tcp_keepalives_idle = \(abandonedAfterSeconds);
            SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2; SET tcp_user_timeout = '\(2 * abandonedAfterSeconds)s'
            """)
        let roles = PostgresRoles(connection: connection)
        let member = try connection.run("SELECT pg_has_role(session_user, oid, 'member') FROM pg_roles WHERE rolname = \(PostgresSchema.servingRole)")
        if let row = member.rows.first, try row.column(0, as: Bool.self) { try connection.simple("SET ROLE \(PostgresSchema.servingRole)") }
        try roles.requireModest()
    }

    private func requireModest() throws {
        let row = try connection.run(
            """
            SELECT current_user::text, rolsuper, rolbypassrls, EXISTS (
                SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                    AND pg_has_role(current_user, c.relowner, 'usage'))
            FROM pg_roles WHERE rolname = current_user
            """
        ).rows.first
        guard let row else { throw PersistenceError.unavailable("The database does not tell which role serves.") }
        let faults = [("is a superuser", 1), ("bypasses row level security", 2), ("owns tables, or is a member of the role that owns them", 3)]
        let found = try faults.filter { try row.column($0.1, as: Bool.self) }.map(\.0)
        guard found.isEmpty else {
            let name: String = try row.column(0)
            throw PersistenceError.unavailable(
                "The database role \(name) may not serve: it \(found.joined(separator: " and ")), and row level security does not hold it. Run "
                    + "`aias migrate` with this URL once: it makes the role \(PostgresSchema.servingRole), which serving then takes. Where that role "
                    + "is there already, somebody has given it more than it needs: take that back.")
        }
    }

    /// - Throws: `PersistenceError.unavailable` where a tenant's table is without its wall.
    func requireWalls(_ tables: some Sequence<Table>) throws {
        for table in tables where table.scope == .tenant {
            let row = try connection.run(
                """
                SELECT c.relrowsecurity AND c.relforcerowsecurity, row_security_active(c.oid),
                    (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid),
                    EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = \(table.name + "_tenant") AND p.polcmd = '*'
                        AND strpos(pg_get_expr(p.polqual, c.oid), \(PostgresSchema.tenantSetting)) > 0
                        AND pg_get_expr(p.polqual, c.oid) = pg_get_expr(p.polwithcheck, c.oid)),
                    has_table_privilege(current_user, c.oid, 'TRUNCATE')
                FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = \(table.name)
                """
            ).rows.first
            guard let row else { throw PersistenceError.schema("The table \(table.name) is missing: restore it from a backup.") }
            let isOn = try row.column(0, as: Bool.self) && row.column(1, as: Bool.self)
            let isAlone = try row.column(2, as: Int.self) == 1 && row.column(3, as: Bool.self)
            guard isOn, isAlone, try !row.column(4, as: Bool.self) else {
                throw PersistenceError.unavailable(
                    "The wall between tenants does not stand on the table \(table.name): "
                        + (!isOn
                            ? "row level security is not enabled and forced"
                            : !isAlone ? "its one policy is missing or changed" : "the serving role may truncate it")
                        + ". Nothing is served like this; undo what was changed by hand, or restore a backup.")
            }
        }
    }
}
