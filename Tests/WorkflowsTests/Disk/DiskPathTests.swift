import Kernel
import Testing

@testable import Workflows

@Suite struct DiskPathTests {
    @Test(
        arguments: [
            ("/data/in/report.csv", "data/in/report.csv"), ("./report.csv", "report.csv"), ("report.csv", "report.csv"),
            ("//data///x", "data/x"), ("/data/./in/../x", "data/x"), ("C:\\data\\x.csv", "C:/data/x.csv"), ("~/x", "~/x"),
            ("/home/node/..x/a", "home/node/..x/a"), ("e\u{301}.txt", "\u{E9}.txt")
        ])
    func `a path is read as a file of the tenant's own disk`(written: String, text: String) throws {
        let path = try DiskPath(written)
        #expect(Array(path.text.utf8) == Array(text.utf8))
        #expect(try DiskPath(path.shown) == path)
    }

    @Test(arguments: [
        "", "/", ".", "/data/", "..", "../x", "/../../etc/passwd", "a/../../x", "\\..\\x", "a\0b", "a\nb", "/a/ /b",
        String(repeating: "a", count: 256),
        String(repeating: "abc/", count: 300) + "x"
    ])
    func `what names no file of the disk is refused`(written: String) {
        #expect { _ = try DiskPath(written) } throws: { ($0 as? Refusal)?.code == "bad_path" }
    }

    @Test func `a path knows its folders`() throws {
        let path = try DiskPath("/a/b/c.txt")
        #expect(path.folders == ["a", "a/b"] && path.folder == "a/b" && path.name == "c.txt" && path.shown == "/a/b/c.txt")
        let accented = try DiskPath("/a/\u{301}b/\u{301}c")
        #expect(accented.folders.count == 2 && Array(accented.folder.utf8) == Array("a/\u{301}b".utf8))
        #expect(Array(accented.name.utf8) == Array("\u{301}c".utf8))
        #expect(try DiskPath("x").folder.isEmpty && DiskPath.folder("/").isEmpty && DiskPath.folder("/a/b/") == "a/b")
    }

    static let files = [
        "a.txt", "data/.hidden.csv", "data/.old/x.csv", "data/a.csv", "data/b.txt", "data/in/a.csv", "data/in/deep/c.csv", "data/report (1).csv",
        "data/x1.csv", "data/x2.csv", "data/xa.csv"
    ]

    @Test(
        arguments: [
            ("/data/a.csv", ["data/a.csv"]), ("./data/*.txt", ["data/b.txt"]), ("data/x?.csv", ["data/x1.csv", "data/x2.csv", "data/xa.csv"]),
            ("/data/x[0-9].csv", ["data/x1.csv", "data/x2.csv"]), ("/data/x[!0-9].csv", ["data/xa.csv"]),
            ("/data/{a,b}.{csv,txt}", ["data/a.csv", "data/b.txt"]), ("/**/a.csv", ["data/a.csv", "data/in/a.csv"]),
            ("/data/**/c.csv", ["data/in/deep/c.csv"]), ("/data/in/**", ["data/in/a.csv", "data/in/deep/c.csv"]),
            ("/data/.*.csv", ["data/.hidden.csv"]), ("/data/.old/*", ["data/.old/x.csv"]), ("/data/report (1).csv", ["data/report (1).csv"]),
            ("/data/x\\1.csv", ["data/x1.csv"]), ("/data/in/../b.*", ["data/b.txt"]), ("*", ["a.txt"]), ("/data", []), ("/data/*/nothing", []),
            ("/data/x[1.csv", []), ("/data/{a.csv", []), ("data/{in/,}a.csv", ["data/a.csv", "data/in/a.csv"]), ("**/*.txt", ["a.txt", "data/b.txt"])
        ] as [(String, [String])])
    func `a pattern matches as in n8n`(pattern: String, found: [String]) throws {
        let glob = try DiskGlob(pattern)
        #expect(Self.files.filter(glob.matches) == found)
        for path in found { #expect(glob.root.isEmpty || path.hasPrefix(glob.root + "/"), "all lie below \(glob.root)") }
    }

    @Test func `a pattern says which folder its files lie in, where that is fixed`() throws {
        #expect(try DiskGlob("/data/in/*.csv").root == "data/in" && DiskGlob("/data/in/a.csv").root == "data/in")
        #expect(try DiskGlob("/data/*/a.csv").root == "data" && DiskGlob("{a,b}/x").root.isEmpty && DiskGlob("*").root.isEmpty)
    }

    @Test(arguments: ["", "/", "../*", "**/../x", String(repeating: "{a,b}", count: 12), String(repeating: "a", count: 1_025)])
    func `a pattern that leads out of the disk or stands for too much is refused`(pattern: String) {
        #expect { _ = try DiskGlob(pattern) } throws: { ($0 as? Refusal)?.code == "bad_path" }
    }

    @Test func `a pattern of many stars is no trouble`() throws {
        let glob = try DiskGlob("/" + String(repeating: "*a", count: 400))
        #expect(!glob.matches(String(repeating: "a", count: 250) + "b"))
        let twice = try DiskGlob("/**/**/in/**/**/a.csv")
        #expect(Self.files.filter(twice.matches) == ["data/in/a.csv"])
        let deep = try DiskGlob(String(repeating: "**/", count: 200) + "x")
        #expect(!deep.matches(String(repeating: "d/", count: 300) + "y") && deep.matches(String(repeating: "d/", count: 300) + "x"))
    }

    @Test func `what a trigger waits for is told by folder, depth, event and pattern`() throws {
        func watch(_ config: JSONObject) throws -> DiskWatch {
            try DiskWatch(
                WorkflowNode(id: "t", category: .trigger, kind: LocalFileTrigger.kind, name: "T", config: config),
                workflow: WorkflowID(high: 1, low: 1))
        }
        let file = try watch(["triggerOn": "file", "path": "/data/a.csv"])
        #expect(file.wants(.change, at: "data/a.csv") && !file.wants(.add, at: "data/a.csv") && !file.wants(.change, at: "data/b.csv"))
        let folder = try watch(["triggerOn": "folder", "path": "/data/", "events": ["add", "unlink"], "options": ["depth": 1, "ignored": "**/*.tmp"]])
        #expect(folder.wants(.add, at: "data/a.csv") && folder.wants(.unlink, at: "data/in/a.csv") && !folder.wants(.change, at: "data/a.csv"))
        #expect(!folder.wants(.add, at: "data/in/deep/a.csv") && !folder.wants(.add, at: "data/a.tmp") && !folder.wants(.add, at: "database/a.csv"))
        let all = try watch(["triggerOn": "folder", "path": "/", "events": ["addDir"]])
        #expect(all.wants(.addDir, at: "a/b/c") && !all.wants(.add, at: "a"))
        #expect(throws: Refusal.self) { try watch(["triggerOn": "file", "path": "../x"]) }
    }
}
