import Kernel
import Testing

@testable import Workflows

@Suite struct KindsMarkdownTests {
    let harness = KindsHarness()

    func html(_ markdown: String, _ options: JSON = [:]) async throws -> String? {
        let config: JSONObject = ["mode": "markdownToHtml", "markdown": .string(markdown), "options": options]
        return try await harness.node(.make("markdown", 1, config), inputs: [items([:])])[0].first?["data"]?.text
    }

    func markdown(_ html: String, _ options: JSON = [:]) async throws -> String? {
        let config: JSONObject = ["html": .string(html), "options": options]
        return try await harness.node(.make("markdown", 1, config), inputs: [items([:])])[0].first?["data"]?.text
    }

    @Test func `Markdown becomes HTML in Showdown's form`() async throws {
        #expect(
            try await html("# A Title!\n\ntext *a* **b** `c<d`")
                == "<h1 id=\"atitle\">A Title!</h1>\n<p>text <em>a</em> <strong>b</strong> <code>c&lt;d</code></p>")
        #expect(try await html("a  \nb\nc") == "<p>a<br />\nb\nc</p>")
        #expect(
            try await html("* a\n* b\n    * c\n\n1. x\n2. y")
                == "<ul>\n<li>a</li>\n<li>b<ul>\n<li>c</li></ul></li>\n</ul>\n<ol>\n<li>x</li>\n<li>y</li>\n</ol>")
        #expect(try await html("> a\n> b") == "<blockquote>\n  <p>a\n  b</p>\n</blockquote>")
        #expect(try await html("```js\nx < 1\n```") == "<pre><code class=\"js language-js\">x &lt; 1\n</code></pre>")
        #expect(
            try await html("![i](u.png \"t\") [l](v?a=1&b=2)") == "<p><img src=\"u.png\" alt=\"i\" title=\"t\" /> <a href=\"v?a=1&amp;b=2\">l</a></p>"
        )
        #expect(try await html("<b>raw</b>\n\n---") == "<p><b>raw</b></p>\n<hr />")
        #expect(try await html("#NoSpace\n\n```\n#not\n```") == "<h1 id=\"nospace\">NoSpace</h1>\n<pre><code>#not\n</code></pre>")
        #expect(try await html("say \"x\" & y") == "<p>say \"x\" &amp; y</p>")
    }

    @Test func `headings have ids as asked`() async throws {
        #expect(try await html("# A\n# A") == "<h1 id=\"a\">A</h1>\n<h1 id=\"a-1\">A</h1>")
        #expect(try await html("# A b!", ["ghCompatibleHeaderId": true]) == "<h1 id=\"a-b\">A b!</h1>")
        #expect(try await html("# A b", ["rawHeaderId": true]) == "<h1 id=\"a-b\">A b</h1>")
        #expect(try await html("# A", ["noHeaderId": true, "headerLevelStart": 3]) == "<h3>A</h3>")
        #expect(try await html("# A", ["prefixHeaderId": "p-"]) == "<h1 id=\"pa\">A</h1>")
        #expect(try await html("# A", ["prefixHeaderId": "p-", "rawPrefixHeaderId": true]) == "<h1 id=\"p-a\">A</h1>")
        #expect(try await html("# A {own}", ["customizedHeaderId": true]) == "<h1 id=\"own\">A</h1>")
    }

    @Test func `extensions are off until they are asked for`() async throws {
        let table = "| a | b |\n| :- | -: |\n| 1 | 2 |"
        #expect(try await html(table)?.contains("<table>") == false)
        #expect(
            try await html(table, ["tables": true])
                == "<table>\n<thead>\n<tr>\n<th style=\"text-align:left;\">a</th>\n<th style=\"text-align:right;\">b</th>\n</tr>\n</thead>\n"
                + "<tbody>\n<tr>\n<td style=\"text-align:left;\">1</td>\n<td style=\"text-align:right;\">2</td>\n</tr>\n</tbody>\n</table>")
        #expect(try await html("~~a~~") == "<p>~~a~~</p>")
        #expect(try await html("~~a~~", ["strikethrough": true]) == "<p><del>a</del></p>")
        #expect(try await html("http://x.y", ["simplifiedAutoLink": true]) == "<p><a href=\"http://x.y\">http://x.y</a></p>")
        #expect(try await html("a\nb", ["simpleLineBreaks": true]) == "<p>a<br />\nb</p>")
        #expect(
            try await html("[a](b)", ["openLinksInNewWindow": true]) == "<p><a href=\"b\" rel=\"noopener noreferrer\" target=\"_blank\">a</a></p>")
        #expect(try await html("hi @ada", ["ghMentions": true]) == "<p>hi <a href=\"https://github.com/ada\">@ada</a></p>")
        #expect(try await html("* [x] a", ["tasklists": true])?.contains("disabled style=") == true)
        #expect(
            try await html("a", ["completeHTMLDocument": true])
                == "<!DOCTYPE HTML>\n<html>\n<head>\n<meta charset=\"utf-8\">\n</head>\n<body>\n<p>a</p>\n</body>\n</html>")
    }

    @Test func `HTML becomes Markdown`() async throws {
        #expect(try await markdown("<h2>A <b>b</b></h2><p>One <em>two</em><br>three</p>") == "## A **b**\n\nOne _two_  \nthree")
        #expect(
            try await markdown("<p>see <a href=\"http://x.y/a_b\" title=\"t\">this</a> <a href=\"http://x.y\">http://x.y</a></p>")
                == "see [this](http://x.y/a%5Fb \"t\") <http://x.y>")
        #expect(try await markdown("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>") == "* a\n* b  \n   1. c  \n   2. d")
        #expect(try await markdown("<pre><code class=\"language-js\">a *b*\n</code></pre>") == "```js\na *b*\n```")
        #expect(try await markdown("<p>code <code>a`b</code></p><hr><blockquote>q</blockquote>") == "code `` a`b ``\n\n---\n\n> q")
        #expect(try await markdown("<img src=\"i.png\" alt=\"x\"><img src=\"data:image/png;base64,AA==\">") == "![x](i.png)")
        #expect(try await markdown("<p>1. no list</p><p># no head</p><p>a*b_c[d]</p>") == "1\\. no list\n\n\\# no head\n\na\\*b\\_c\\[d\\]")
        #expect(
            try await markdown("<table><tr><th>A</th><th>B</th></tr><tr><td>1|2</td><td><b>x</b></td></tr></table>")
                == "| A | B |\n| --- | --- |\n| 1\\|2 | **x** |")
        #expect(try await markdown("<style>x</style><script>y</script><p>a<b> b </b>c</p>") == "a **b** c")
        #expect(try await markdown("") == "")
    }

    @Test func `marks and more are chosen`() async throws {
        let options: JSON = [
            "bulletMarker": "-", "emDelimiter": "*", "strongDelimiter": "__", "codeFence": "~~~", "ignore": "nav", "keepDataImages": true
        ]
        #expect(try await markdown("<ul><li><i>a</i></li><li><b>b</b></li></ul><nav>n</nav>", options) == "- *a*\n- __b__")
        #expect(try await markdown("<p>a</p><pre><code>x\n y</code></pre>", ["codeBlockStyle": "indented"]) == "a\n\n    x\n     y")
        #expect(
            try await markdown("<a href=\"u\">a</a> <a href=\"v\">b</a> <a href=\"u\">c</a>", ["useLinkReferenceDefinitions": true])
                == "[a][1] [b][2] [c][1]\n\n[1]: u\n[2]: v")
        #expect(try await markdown("a*b", ["globalEscape": ["value": ["pattern": "*", "replacement": "+"]]]) == "a+b")
        #expect(try await markdown("<p>foo foo</p>", ["textReplace": ["values": [["pattern": "foo", "replacement": "bar"]]]]) == "bar foo")
    }

    @Test func `the result is put beside the other fields, at a path`() async throws {
        let config: JSONObject = ["html": "={{ $json.h }}", "destinationKey": "a.md"]
        #expect(
            try await harness.node(.make("markdown", 1, config), inputs: [items(["h": "<b>x</b>"])])[0] == [["h": "<b>x</b>", "a": ["md": "**x**"]]])
    }

    @Test func `texts that would take the parser too long are refused`() async throws {
        let large = String(repeating: "![[]()", count: 50_000)
        await #expect(throws: StepFailure.self) { try await html(large) }
        let wide =
            String(repeating: "|a", count: 5_000) + "|\n" + String(repeating: "|-", count: 5_000) + "|\n" + String(repeating: "|\n", count: 5_000)
        await #expect(throws: StepFailure.self) { try await html(wide, ["tables": true]) }
        let plain = try await html(wide)
        #expect(plain?.contains("<table>") == false, "without tables it is text")
    }
}
