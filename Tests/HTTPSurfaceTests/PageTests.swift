import Foundation
import Kernel
import Testing

@testable import HTTPSurface

struct PageTests {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    @Test func `text is escaped, addresses that run something are not let through`() {
        let name = #"<script>"x" & 'y'</script>"#
        let html: HTML = "<p title=\"\(name)\">\(name)</p>"
        #expect(html.text == "<p title=\"\(HTML.escape(name))\">&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;</p>")
        func href(_ url: String) -> String { ("\(href: url)" as HTML).text }
        #expect(href("/a?b=1&c=2") == "/a?b=1&amp;c=2")
        #expect(href("https://x.example/y:z") == "https://x.example/y:z")
        for bad in ["javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x"] {
            #expect(href(bad) == "#")
        }
        let list: [HTML] = ["<li>1</li>", "<li>2</li>"]
        #expect(("<ul>\(list)</ul>\(nil as HTML?)" as HTML).text == "<ul><li>1</li><li>2</li></ul>")
    }

    @Test func `messages choose plural and select forms`() throws {
        let message = try Message("{count, plural, =0 {none} one {# run} other {# runs}} by {who, select, me {you} other {{who}}} '{'x'}' it''s")
        func text(_ count: Int, _ who: String) -> String { message.format(["count": "\(count)", "who": who], language: "en") }
        #expect(text(0, "me") == "none by you {x} it's")
        #expect(text(1, "Ben") == "1 run by Ben {x} it's")
        #expect(text(5, "Ben") == "5 runs by Ben {x} it's")
        #expect(PluralRules.category(of: "22", language: "ru") == "few")
        #expect(PluralRules.category(of: "12", language: "pl") == "many")
        for bad in ["{", "}", "{a", "{a, plural, one {x}}", "{a, date}", "{}"] { #expect(throws: Message.SyntaxError.self) { try Message(bad) } }
    }

    @Test func `the pseudo-locale is made of every English text and keeps what is filled in`() throws {
        let strings = try Strings(directory: PageTests.repository + "/Locales")
        #expect(strings.keys(of: "en").contains("http.layout.skip"))
        #expect(strings.keys(of: "en") == strings.keys(of: Strings.pseudoLocale))
        #expect(strings.text("problem.body_too_large", ["limit": "9"], language: "en-XA")?.contains("9") == true)
        #expect(strings.text("http.layout.navigation", language: "en-XA") == "[Mááííñ]")
        #expect(strings.language(cookie: nil, accept: "de;q=0.9, en-XA;q=0.95") == "en-XA")
        #expect(strings.language(cookie: "en-xa", accept: "en") == "en-XA")
        #expect(strings.language(cookie: nil, accept: "en-GB") == "en")
        #expect(Localizer(strings)("no.such.key") == "no.such.key")
    }

    @Test func `numbers are written as the language writes them`() throws {
        let strings = try Strings(directory: PageTests.repository + "/Locales")
        let plain = ["0", "999", "1000", "-1234567", "1234.50", "-0.05", "", "12 MiB", "2026-01-31", "-", "1.", "{count}"]
        let shown = ["0", "999", "1,000", "-1,234,567", "1,234.50", "-0.05", "", "12 MiB", "2026-01-31", "-", "1.", "{count}"]
        for language in ["en", Strings.pseudoLocale, "none"] {
            let text = Localizer(strings, language: language)
            #expect(plain.map { text.figure($0) } == shown, "\(language)")
        }
        #expect(FigureMarks(group: ".", decimal: ",").text("1234567.50") == "1.234.567,50")
        #expect(Localizer(.none).figure(1_234) == "1234", "without texts as programs write it")
        let message = try Message("{count, plural, one {# run} other {# runs}}")
        #expect(message.format(["count": "12345"], language: "en", marks: strings.marks(of: "en")) == "12,345 runs")
        #expect(strings.text("http.docs.lead", ["count": "1200"], language: "en")?.contains("1,200 endpoints") == true)
    }

    @Test func `a picture within a link is its words, since a link holds no other`() {
        let pictures = "[![Watch](https://i.example/p.png)](https://v.example) ![Alone](https://i.example/q.png)"
        let html = MarkdownText(pictures + " ![a ![b](https://c.example)](https://d.example)").html.text
        #expect(
            html
                == """
                <p><a href="https://v.example" rel="noopener noreferrer">Watch</a> <a href="https://i.example/q.png" rel="noopener noreferrer">Alone</a> \
                <a href="https://d.example" rel="noopener noreferrer">a b</a></p>
                """)
    }

    @Test func `days are written with their month by name`() throws {
        let text = Localizer(try Strings(directory: PageTests.repository + "/Locales"))
        #expect(text.day(Timestamp(seconds: 1_767_225_600)) == "1 January 2026")
        let plain = ["2026-12-31", "2026-02-09T10:00:00Z", "soon", "", "2026-13-01"]
        #expect(plain.map { text.day($0) } == ["31 December 2026", "9 February 2026", "soon", "", "2026-13-01"])
        #expect(Localizer(.none).day("2026-12-31") == "2026-12-31")
    }

    @Test func `a file is cached for good under its hash and asked for again without`() throws {
        let files = try StaticFiles(roots: [PageTests.repository + "/Web"])
        let url = files.url("styles/base.css")
        let hash = try #require(url.split(separator: "=").last.map(String.init))
        let hashed = try files.answer("styles/base.css", version: hash, known: nil)
        #expect(hashed.headers.contains { $0.name == "Cache-Control" && $0.value.contains("immutable") })
        #expect(hashed.contentType == "text/css; charset=utf-8")
        let plain = try files.answer("styles/base.css", version: "old", known: nil)
        #expect(plain.headers.contains { $0.value == "no-cache" })
        #expect(try files.answer("styles/base.css", version: nil, known: "\"x\", W/\"\(hash)\"").status == 304)
        #expect(throws: Problem.self) { try files.answer("../Package.swift", version: nil, known: nil) }
    }

    @Test func `texts are packed for whoever takes gzip, under a tag of their own`() throws {
        let files = try StaticFiles(roots: [PageTests.repository + "/Web"])
        let plain = try files.answer("styles/editor.css", version: nil, known: nil, accepted: "br, gzip;q=0")
        let packed = try files.answer("styles/editor.css", version: nil, known: nil, accepted: "br, gzip;q=0.5")
        guard case .bytes(let all) = plain.body, case .bytes(let few) = packed.body else { throw Problem.notFound }
        #expect(few.count * 3 < all.count && few.starts(with: [0x1f, 0x8b]))
        func header(_ name: String, _ answer: Answer) -> String? { answer.headers.first { $0.name == name }?.value }
        #expect(header("Content-Encoding", packed) == "gzip" && header("Content-Encoding", plain) == nil)
        #expect(header("Vary", packed) == "Accept-Encoding" && header("Vary", plain) == "Accept-Encoding")
        let tags = try [#require(header("ETag", packed)), #require(header("ETag", plain))]
        #expect(tags[0] != tags[1])
        #expect(try files.answer("styles/editor.css", version: nil, known: tags[0], accepted: "gzip").status == 304)
        #expect(try files.answer("styles/editor.css", version: nil, known: tags[1], accepted: "gzip").status == 200)
        for (accepted, takes) in [(nil, false), ("", false), ("*", true), ("gzip;q=0, *", false), ("X-GZIP", true), ("identity", false)]
            as [(String?, Bool)]
        {
            #expect(StaticFiles.takesGzip(accepted) == takes)
        }
        #expect(Gzip.pack([]) == nil && Gzip.pack([1, 2, 3]) == nil)
    }

    @Test func `a script is cached for good with all that it imports, and names it beforehand`() throws {
        let files = try StaticFiles(roots: [PageTests.repository + "/Web"])
        let path = String(files.moduleURL("editor/main.js").dropFirst("/assets/".count))
        for name in [path, String(path.dropLast("main.js".count)) + "editor.js"] {
            #expect(try files.answer(name, version: nil, known: nil).headers.contains { $0.value.contains("immutable") })
        }
        #expect(try files.answer("@0123456789abcdef/editor/main.js", version: nil, known: nil).headers.contains { $0.value == "no-cache" })
        #expect(throws: Problem.self) { try files.answer("@0123456789abcdef", version: nil, known: nil) }
        let needed = files.modules(neededBy: "editor/main.js")
        #expect(needed.contains("editor/canvas.js") && needed.contains("editor/geometry.js"))
        #expect(!needed.contains("editor/panel.js") && !needed.contains("editor/main.js"))
    }

    @Test func `the reference shows every endpoint under a strict policy, and in the pseudo-locale`() async throws {
        let files = try StaticFiles(roots: [PageTests.repository + "/Web"])
        let strings = try Strings(directory: PageTests.repository + "/Locales")
        let all =
            EndpointTests.endpoints + Endpoint.documentation(of: EndpointTests.endpoints, title: "AIAS", version: "1", files: files) + [
                files.endpoint
            ]
        let harness = SurfaceHarness(all, strings: strings)
        let page = try await harness.call("GET", "/docs")
        #expect(page.status == 200)
        for endpoint in EndpointTests.endpoints where endpoint.isDocumented { #expect(page.text.contains("id=\"\(endpoint.operationID)\"")) }
        #expect(page.header("Content-Security-Policy")?.contains("script-src 'self'") == true)
        #expect(!page.text.contains("<script>") && !page.text.contains(" style=") && !page.text.contains(" onclick="))
        #expect(page.text.contains("lang=\"en\""))
        #expect(try await harness.call("GET", "/docs", headers: ["Cookie": "language=en-XA"]).text.contains("lang=\"en-XA\""))
        #expect(try await harness.call("GET", "/openapi.json").json["openapi"] == "3.1.0")
        #expect(try await harness.call("GET", files.url("pages/docs/docs-search.js")).status == 200)
        let problem = try await harness.call("GET", "/none", headers: ["Accept-Language": "en-XA"])
        #expect(try problem.json["detail"]?.text?.hasPrefix("[") == true)
    }

    @Test func `every key of the reference is a text`() throws {
        let strings = try Strings(directory: PageTests.repository + "/Locales")
        let keys = strings.keys(of: "en")
        for file in ["OpenAPI/DocsPage.swift", "Pages/Layout.swift"] {
            let source = try String(contentsOfFile: PageTests.repository + "/Sources/HTTPSurface/" + file, encoding: .utf8)
            for match in source.matches(of: #/"(http\.[a-z_.]+)"/#) { #expect(keys.contains(String(match.1)), "\(match.1)") }
        }
    }
}

struct DocsPagesTests {
    @Test func `the reference is made once for each language`() {
        let pages = DocsPages()
        var count = 0
        for language in ["en", "de", "en", "de"] {
            let page = pages.page(in: language) {
                count += 1
                return .text(language)
            }
            guard case .bytes(let bytes) = page.body else {
                Issue.record("there is no page")
                return
            }
            #expect(bytes == Array(language.utf8))
        }
        #expect(count == 2)
    }
}

struct CursorTests {
    @Test func `a cursor comes back as it went, anything else is refused`() throws {
        let id = TenantID(high: 7, low: 8)
        let cursor = Cursor([.string("2026-01-02T03:04:05.678901Z"), .string(id.description), 3])
        let back = try Cursor(cursor.text, keys: 3)
        #expect(try back.id(at: 1, of: TenantTag.self) == id)
        #expect(try back.timestamp(at: 0).description == "2026-01-02T03:04:05.678901Z")
        #expect(try back.integer(at: 2) == 3)
        for bad in ["", "x", "!!!!", cursor.text + "A", String(cursor.text.dropLast()), Base64URL.encode(Array("{}".utf8)), Cursor([1]).text] {
            #expect(throws: Refusal.self) { try Cursor(bad, keys: 3) }
        }
        #expect(throws: Refusal.self) { try back.integer(at: 0) }
    }

    @Test func `base 64 is read back for every length`() {
        for count in 0..<20 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
    }

    @Test func `one row more than asked for makes a next page`() {
        let page = Page([1, 2, 3], limit: 2) { Cursor([.number(Double($0))]) }
        #expect(page.data == [1, 2])
        #expect(page.nextCursor == Cursor([2]).text)
        #expect(Page([1, 2], limit: 2) { Cursor([.number(Double($0))]) }.nextCursor == nil)
    }
}
