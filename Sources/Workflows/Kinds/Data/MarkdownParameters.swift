internal import Kernel

enum MarkdownParameters {
    static func writing(_ given: JSONObject) -> HtmlMarkdown.Options {
        var options = HtmlMarkdown.Options()
        func text(_ name: String, _ fallback: String) -> String { given[name]?.text.flatMap { $0.isEmpty ? nil : $0 } ?? fallback }
        options.bulletMarker = text("bulletMarker", options.bulletMarker)
        options.codeFence = text("codeFence", options.codeFence)
        options.emphasis = text("emDelimiter", options.emphasis)
        options.strong = text("strongDelimiter", options.strong)
        options.fencesCode = given["codeBlockStyle"] != "indented"
        options.ignored = names(given["ignore"])
        options.blocks = names(given["blockElements"])
        options.keepsDataImages = given["keepDataImages"]?.isTruthy ?? false
        options.newlinesMaximum = given["maxConsecutiveNewlines"]?.integer.map { max(1, $0) } ?? options.newlinesMaximum
        options.refersToLinks = given["useLinkReferenceDefinitions"]?.isTruthy ?? false
        options.globalEscape = replacement(given["globalEscape"]?["value"])
        options.lineStartEscape = replacement(given["lineStartEscape"]?["value"])
        options.textReplacements = (given["textReplace"]?["values"]?.array ?? []).compactMap(replacement)
        return options
    }

    private static func names(_ value: JSON?) -> Set<String> { Set(StepContext.names(in: value?.text ?? "").map { $0.lowercased() }) }

    private static func replacement(_ value: JSON?) -> HtmlMarkdown.Replacement? {
        guard let value, value.object?.isEmpty == false else { return nil }
        return HtmlMarkdown.Replacement(pattern: value["pattern"]?.text ?? "", replacement: value["replacement"]?.text ?? "")
    }

    static func reading(_ given: JSONObject) -> MarkdownPage.Options {
        func flag(_ name: String, _ fallback: Bool = false) -> Bool { given[name]?.isTruthy ?? fallback }
        var options = MarkdownPage.Options()
        options.opensLinksInNewWindow = flag("openLinksInNewWindow")
        options.linksAddresses = flag("simplifiedAutoLink")
        options.isWholeDocument = flag("completeHTMLDocument")
        options.readsHeaderIDs = flag("customizedHeaderId")
        options.hasGitHubHeaderIDs = flag("ghCompatibleHeaderId")
        options.hasRawHeaderIDs = flag("rawHeaderId")
        options.hasHeaderIDs = !flag("noHeaderId")
        options.headerPrefix = given["prefixHeaderId"]?.text ?? (flag("prefixHeaderId") ? "section" : "")
        options.keepsPrefixRaw = flag("rawPrefixHeaderId")
        options.mentions = flag("ghMentions") ? given["ghMentionsLink"]?.text ?? "https://github.com/{u}" : nil
        options.hasTaskLists = flag("tasklists")
        options.firstHeaderLevel = given["headerLevelStart"]?.integer.map { max(1, min($0, 6)) } ?? 1
        options.needsSpaceInHeaders = flag("requireSpaceBeforeHeadingText")
        options.breaksLines = flag("simpleLineBreaks")
        options.hasStrikethrough = flag("strikethrough")
        options.hasTables = flag("tables")
        options.hasTableHeaderIDs = flag("tablesHeaderId")
        return options
    }

    static var all: [Parameter] {
        let writes: Parameter.ShowWhen = ["mode": ["htmlToMarkdown"]]
        let reads: Parameter.ShowWhen = ["mode": ["markdownToHtml"]]
        return [
            Parameter(
                "mode", .options, "Mode", default: "htmlToMarkdown",
                options: [.init("markdownToHtml", "Markdown to HTML"), .init("htmlToMarkdown", "HTML to Markdown")]),
            Parameter("html", .text, "HTML", default: "", required: true, showWhen: writes),
            Parameter("markdown", .text, "Markdown", default: "", required: true, showWhen: reads),
            Parameter("destinationKey", .string, "Put into", default: "data", required: true),
            Parameter("options", .collection, "Options", default: .init([:]), fields: writing, showWhen: writes),
            Parameter("options", .collection, "Options", default: .init([:]), fields: reading, showWhen: reads)
        ]
    }

    private static var writing: [Parameter] {
        let pair = [Parameter("pattern", .string, "Text", default: ""), Parameter("replacement", .string, "Replacement", default: "")]
        return [
            Parameter("bulletMarker", .string, "Mark of list items", default: "*"),
            Parameter("codeFence", .string, "Fence of code", default: "```"),
            Parameter("emDelimiter", .string, "Mark of emphasis", default: "_"),
            Parameter("strongDelimiter", .string, "Mark of strong emphasis", default: "**"),
            Parameter(
                "codeBlockStyle", .options, "Code blocks", default: "fence", options: [.init("fence", "Fenced"), .init("indented", "Indented")]),
            Parameter(
                "globalEscape", .collection, "Escaping", default: .init([:]),
                fields: [Parameter("value", .collection, "Escaping", default: .init([:]), fields: pair)]),
            Parameter(
                "lineStartEscape", .collection, "Escaping at the start of lines", default: .init([:]),
                fields: [Parameter("value", .collection, "Escaping", default: .init([:]), fields: pair)]),
            Parameter(
                "textReplace", .collection, "Replacements", default: .init([:]),
                fields: [Parameter("values", .list, "Replacements", fields: pair)]),
            Parameter("ignore", .string, "Elements to leave out", default: ""),
            Parameter("blockElements", .string, "Elements to treat as blocks", default: ""),
            Parameter("keepDataImages", .boolean, "Keep images that hold their data", default: false),
            Parameter("maxConsecutiveNewlines", .number, "Line breaks in a row", default: 3),
            Parameter("useLinkReferenceDefinitions", .boolean, "Addresses at the end", default: false)
        ]
    }

    private static var reading: [Parameter] {
        let flags: [(name: String, label: String, value: JSONText)] = [
            ("openLinksInNewWindow", "Links open a new window", false), ("simplifiedAutoLink", "Link addresses in the text", false),
            ("completeHTMLDocument", "Whole document", false), ("customizedHeaderId", "Ids of headings in braces", false),
            ("ghCompatibleHeaderId", "Ids as GitHub makes them", false), ("ghMentions", "Link @names", false),
            ("tasklists", "Task lists", false), ("requireSpaceBeforeHeadingText", "Headings need a space", false),
            ("noHeaderId", "No ids of headings", false), ("rawHeaderId", "Ids of headings as they are", false),
            ("rawPrefixHeaderId", "Prefix as it is", false), ("simpleLineBreaks", "Line breaks as in the text", false),
            ("strikethrough", "Strikethrough", false), ("tablesHeaderId", "Ids of table heads", false), ("tables", "Tables", false)
        ]
        return flags.map { Parameter($0.name, .boolean, $0.label, default: $0.value) } + [
            Parameter("ghMentionsLink", .string, "Address of @names", default: "https://github.com/{u}"),
            Parameter("headerLevelStart", .number, "Level of the first heading", default: 1),
            Parameter("prefixHeaderId", .string, "Prefix of ids", default: "section")
        ]
    }
}
