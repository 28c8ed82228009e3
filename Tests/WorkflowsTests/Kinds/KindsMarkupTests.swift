import Kernel
import Testing

@testable import Workflows

@Suite struct KindsMarkupTests {
    let harness = KindsHarness()

    func one(_ kind: String, _ version: Double, _ config: JSONObject, _ input: JSON, onError: WorkflowNode.OnError = .stop) async throws -> JSON {
        try #require(try await harness.node(.make(kind, version, config, onError: onError), inputs: [items(input)])[0].first)
    }

    // MARK: Selectors

    @Test func `selectors find what cheerio finds`() throws {
        let reference = try Reference.json("selectors")
        let document = try HtmlDocument(reference["html"]?.text ?? "")
        let cases = reference["cases"]?.array ?? []
        #expect(cases.count >= 35)
        for wanted in cases {
            let name = wanted["selector"]?.text ?? ""
            let found = try CSSSelector(name).elements(in: document)
            #expect(found.map { document.text(of: $0) } == wanted["texts"]?.array?.compactMap(\.text), "\(name)")
            #expect(found.first.map { document.innerHTML(of: $0) } == wanted["html"]?.text, "\(name)")
        }
    }

    @Test func `scripts and styles are no text`() throws {
        let document = try HtmlDocument("<p>a<script>b</script><style>c</style>d</p>")
        let paragraphs = try CSSSelector("p").elements(in: document)
        #expect(paragraphs.map { document.text(of: $0) } == ["ad"])
    }

    @Test(arguments: ["", "p >", "[a", ":nope", ":nth-child(x)", "p::before", "a..b", ":has(", "[a=\"b]", "#"])
    func `what is no selector is refused with its place`(_ text: String) {
        let failure = #expect(throws: StepFailure.self) { try CSSSelector(text) }
        #expect(failure?.code == "invalid_parameter" && failure?.message.contains("character") == true)
    }

    @Test func `more selectors and their corners`() throws {
        let document = try HtmlDocument(
            "<div id='A'><p class='x' lang='en-US' title='Foo Bar'>1</p><P data-n='2'>2</P><span>3</span><p id='a.b'>4</p></div>")
        func texts(_ selector: String) throws -> [String] { try CSSSelector(selector).elements(in: document).map { document.text(of: $0) } }
        #expect(try texts("p[lang|=en]") == ["1"])
        #expect(try texts("p[title='foo bar' i]") == ["1"])
        #expect(try texts("p[title~=Bar]") == ["1"])
        #expect(try texts("p:not([title])") == ["2", "4"])
        #expect(try texts("#a\\.b") == ["4"])
        #expect(try texts("div > :nth-last-child(-n+2)") == ["3", "4"])
        #expect(try texts("span ~ p, p:first-child") == ["1", "4"])
        #expect(try texts("div:has(> span) > p:eq(-1)") == ["4"])
        #expect(try texts("p:icontains(4)") == ["4"])
        #expect(try texts("P[data-n$=\"2\"]") == ["2"])
    }

    // MARK: Extraction

    @Test func `values are taken out as each version does`() async throws {
        let page = "<body><h1> A  title </h1><p>One <a href='/x'>two</a></p><ul><li>a</li><li>b</li></ul><input value='v'></body>"
        let values: JSON = [
            ["key": "title", "cssSelector": "h1"],
            ["key": "links", "cssSelector": "a", "returnValue": "attribute", "attribute": "href", "returnArray": true],
            ["key": "list", "cssSelector": "li", "returnArray": true], ["key": "html", "cssSelector": "p", "returnValue": "html"],
            ["key": "value", "cssSelector": "input", "returnValue": "value"], ["key": "none", "cssSelector": "em", "returnValue": "html"]
        ]
        let config: JSONObject = ["operation": "extractHtmlContent", "extractionValues": ["values": values]]
        let old = try await one("html", 1, config, ["data": .string(page)])
        #expect(old["title"] == " A  title " && old["links"] == ["/x"] && old["list"] == ["a", "b"])
        #expect(old["html"] == "One <a href=\"/x\">two</a>" && old["value"] == "v" && old["none"] == nil)
        let new = try await one("html", 1.2, config, ["data": .string(page)])
        #expect(new["title"] == "A title", "text is laid out from version 1.2 on")
        let extract = try await one("html_extract", 1, ["extractionValues": ["values": values]], ["data": .string(page)])
        #expect(extract["title"] == "A  title", "the old node trims unless told not to")
        #expect(
            try await one("html_extract", 1, ["extractionValues": ["values": values], "options": ["trimValues": false]], ["data": .string(page)])[
                "title"] == " A  title ")
    }

    @Test func `text is cleaned and parts are skipped where asked`() async throws {
        let page = "<article><h2>Head</h2><p>One\n two</p><nav>skip me</nav><p class='ad'>ad</p></article>"
        let values: JSON = [["key": "t", "cssSelector": "article", "skipSelectors": "nav, .ad"]]
        var config: JSONObject = ["operation": "extractHtmlContent", "extractionValues": ["values": values], "dataPropertyName": "a.b"]
        #expect(try await one("html", 1.2, config, ["a": ["b": .string(page)]])["t"] == "HEAD\n\nOne two")
        config["options"] = ["cleanUpText": true]
        #expect(try await one("html", 1.2, config, ["a": ["b": .string(page)]])["t"] == "HEADOne two")
        await #expect(throws: StepFailure.self) { try await one("html", 1.2, config, ["other": 1]) }
        let several = try await harness.node(
            .make("html", 1.2, config), inputs: [items(["a": ["b": ["<article>1</article>", "<article>2</article>"]]])])[0]
        #expect(several == [["t": "1"], ["t": "2"]])
    }

    @Test func `a file is read too`() async throws {
        var item = Item(json: [:])
        item.binary["page"] = BinaryReference(
            id: harness.files.write(Array("<p>x</p>".utf8)), mimeType: "text/html", fileName: nil, byteCount: 8)
        let config: JSONObject = [
            "operation": "extractHtmlContent", "sourceData": "binary", "dataPropertyName": "page",
            "extractionValues": ["values": [["key": "p", "cssSelector": "p"]]]
        ]
        let found = try await harness.node(.make("html", 1.2, config), inputs: [[item]])[0]
        #expect(found == [["p": "x"]])
        await #expect(throws: StepFailure.self) { try await one("html", 1.2, config, [:]) }
    }

    @Test func `items become a table in n8n's form`() async throws {
        let config: JSONObject = ["operation": "convertToHtmlTable", "options": ["customStyling": true, "capitalize": true, "caption": "C"]]
        let made = try await harness.node(
            .make("html", 1.2, config), inputs: [items(["first_name": "Ada", "ok": true], ["first_name": "Alan", "n": 2])])[0]
        let table = made[0]["table"]?.text
        #expect(
            table
                == "<table  ><caption>C</caption><thead  ><tr><th>First Name</th><th>Ok</th><th>N</th></tr></thead><tbody>"
                + "<tr  ><td  >Ada</td><td  ><input type=\"checkbox\" checked=\"checked\"/></td><td  >undefined</td></tr>"
                + "<tr  ><td  >Alan</td><td  >undefined</td><td  >2</td></tr></tbody></table>")
        let styled = try await one("html", 1, ["operation": "convertToHtmlTable"], ["a": 1])
        #expect(styled["table"]?.text?.hasPrefix("<table style='border-spacing:0; font-family:helvetica,arial,sans-serif' >") == true)
    }

    // MARK: Text for people

    @Test func `text is laid out in lines of eighty characters`() throws {
        func text(_ html: String) throws -> String {
            let document = try HtmlDocument(html)
            var text = try HtmlText(document)
            return text.text(inside: 0)
        }
        let words = Array(repeating: "word", count: 20).joined(separator: " ")
        #expect(try text("<p>\(words)</p>") == Array(repeating: "word", count: 16).joined(separator: " ") + "\nword word word word")
        #expect(try text("<p>a</p><p>b</p><div>c</div><div>d</div>") == "a\n\nb\n\nc\nd")
        #expect(try text("<h1>Title</h1>text<br>more<hr>end") == "TITLE\n\ntext\nmore\n\n\(String(repeating: "-", count: 80))\n\nend")
        #expect(try text("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>") == " * a\n * b\n   1. c\n   2. d")
        #expect(
            try text("see <a href='http://x.y'>the page</a>, <a href='#z'>here</a> <a href='mailto:a@b.c'></a>")
                == "see the page [http://x.y], here [a@b.c]")
        #expect(try text("<img src='i.png' alt='An image'> <img alt=only>") == "An image [i.png] only")
        #expect(try text("<blockquote><p>a</p><p>b</p></blockquote>") == "> a\n> \n> b")
        #expect(try text("<pre>  a\n   b</pre><p>c</p>") == "  a\n   b\n\nc")
        #expect(try text("a<b>b</b> c <i> d</i>e<script>x</script>") == "ab c de")
        #expect(try text("<table><tr><td>1</td><td>2</td></tr></table>") == "12")
    }

    // MARK: Hostile texts

    @Test func `deep nesting neither overflows the stack nor loses text`() throws {
        let deep = String(repeating: "<div>", count: 20_000) + "core"
        let document = try HtmlDocument(deep)
        #expect(document.text(of: 0) == "core")
        var text = try HtmlText(document)
        #expect(text.text(inside: 0).trimmingNewlines == "core")
        #expect(try CSSSelector("div div div").elements(in: document).count > 19_000)
    }

    @Test func `a text that takes quadratic time is given up`() {
        let hostile = String(repeating: "<p><b><i><u>", count: 1_000_000)
        #expect(throws: StepFailure.self) { try HtmlDocument(hostile) }
    }

    @Test func `text and Markdown of large and deeply nested pages take time in proportion`() throws {
        let nested = try HtmlDocument(String(repeating: "<blockquote><b><ul><li>", count: 2_000) + String(repeating: "word ", count: 10_000))
        var text = try HtmlText(nested)
        var markdown = HtmlMarkdown(nested, options: .init())
        let flat = try HtmlDocument(String(repeating: "<p>some words</p>", count: 5_000))
        var flatText = try HtmlText(flat)
        let time = ContinuousClock().measure {
            #expect(text.text(inside: 0).contains("word word"))
            #expect(markdown.text().contains("word word"))
            #expect(flatText.text(inside: 0).utf8.count == 5_000 * 12 - 2)
        }
        #expect(time < .seconds(30))
    }

    @Test func `a selector that takes quadratic time is given up`() throws {
        let document = try HtmlDocument(String(repeating: "<i></i>", count: 8_000))
        let slow = try CSSSelector("b ~ i")
        let failure = #expect(throws: StepFailure.self) { try slow.elements(in: document) }
        #expect(failure?.code == "selector_too_slow")
        #expect(try CSSSelector("i:nth-child(3n)").elements(in: document).count == 2_666)
        let beyond = try CSSSelector("i:nth-child(9223372036854775807n-9223372036854775808)")
        #expect(try beyond.elements(in: document).isEmpty)
        #expect(try CSSSelector("i + i").elements(in: document).count == 7_999)
    }

    @Test func `an empty text is an empty page`() throws {
        let document = try HtmlDocument("")
        #expect(document.innerHTML(of: 0) == "<html><head></head><body></body></html>")
    }
}
