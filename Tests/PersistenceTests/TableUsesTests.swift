@testable import Persistence
import Testing

/// The reading of statements that the tenant check stands on.
@Suite struct TableUsesTests {
    @Test(arguments: [
        ("SELECT a FROM runs WHERE tenant_id = ?1", ["runs"]),
        ("select a from RUNS r join Steps s on s.run_id = r.id, notes n where r.a = n.b", ["runs", "steps", "notes"]),
        ("SELECT a FROM runs r JOIN runs p ON p.id = r.parent", ["runs", "runs"]),
        ("SELECT a FROM runs, runs AS p", ["runs", "runs"]),
        ("SELECT runs.a, steps FROM runs ORDER BY steps, runs.a", ["runs"]),
        ("INSERT INTO runs (id, steps) SELECT id, notes FROM \"notes\" WHERE x IN (SELECT y FROM steps)", ["runs", "notes", "steps"]),
        ("INSERT OR REPLACE INTO runs VALUES (?1, ?2)", ["runs"]),
        ("INSERT INTO runs (a) VALUES (?1) ON CONFLICT (steps) DO UPDATE SET a = excluded.a, steps = runs.b RETURNING notes", ["runs"]),
        ("UPDATE OR IGNORE main.runs SET a = (SELECT max(b) FROM [steps]) WHERE c IN steps", ["runs", "steps", "steps"]),
        ("DELETE FROM runs WHERE EXISTS (SELECT 1 FROM (steps JOIN notes USING (a)))", ["runs", "steps", "notes"]),
        ("WITH due AS (SELECT id FROM runs) SELECT id FROM due UNION SELECT id FROM steps", ["runs", "due", "steps"]),
        ("SELECT 'FROM steps' /* FROM notes */ -- FROM notes\nFROM/**/runs", ["runs"]),
        ("SELECT a FROM f(steps, notes) x, runs FOR UPDATE SKIP LOCKED", ["f", "runs", "skip"]),
        ("SELECT (SELECT count(*) FROM steps), notes FROM runs GROUP BY notes, steps", ["steps", "runs"])
    ])
    func `a table counts once for every place that reads or writes it`(_ text: String, _ tables: [String]) {
        #expect(TableUses.find(in: text) == tables)
    }

    @Test(arguments: [
        ("INSERT INTO runs (id, steps) SELECT id, notes FROM \"notes\"", ["runs"]), ("insert or replace into main.\"Runs\" values (?1)", ["runs"]),
        ("WITH due AS (SELECT id FROM runs) INSERT INTO steps SELECT id FROM due", ["steps"]), ("REPLACE INTO[runs] VALUES (?1)", ["runs"]),
        ("INSERT /* INTO notes */ INTO -- a\nruns DEFAULT VALUES", ["runs"]), ("UPDATE runs SET a = 'INTO notes'", [])
    ])
    func `what a statement inserts into is found`(_ text: String, _ tables: [String]) { #expect(TableUses.inserted(in: text) == tables) }
}
