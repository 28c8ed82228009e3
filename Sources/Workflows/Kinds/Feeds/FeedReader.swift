internal import Kernel
internal import Outbound
internal import Scripting

/// Reads RSS 2.0, RSS 1.0 and Atom feeds (RFC 4287) into items with the members that n8n's reader gives.
enum FeedReader {
    static let itemsMaximum = 10_000
    static let bytesMaximum = 16 << 20

    static func request(_ url: String, verifies: Bool) -> OutboundRequest {
        OutboundRequest(
            url: url,
            headers: [
                (name: "User-Agent", value: "AIAS feed reader"),
                (
                    name: "Accept",
                    value: "application/rss+xml, application/rdf+xml;q=0.8, application/atom+xml;q=0.6, application/xml;q=0.4, text/xml;q=0.4"
                )
            ], timeout: .seconds(60), maximumRedirects: 5, maximumResponseBytes: bytesMaximum, verifyCertificates: verifies)
    }

    static func checkedURL(_ text: String) throws -> String {
        let url = text.filter { !$0.isWhitespace }
        guard !url.isEmpty else { throw StepFailure.invalid("url", "The parameter \"URL\" has to be set!") }
        guard (try? OutboundURL(url)) != nil else { throw StepFailure.invalid("url", "The provided \"URL\" is not valid!") }
        return url
    }

    /// - Parameters:
    ///   - outline: of the whole document, as the converter gives it.
    ///   - further: names of elements that are members, too.
    static func items(_ response: OutboundResponse, outline: JSON?, further: [String] = []) throws -> [JSONObject] {
        guard response.status < 400 else { throw StepFailure("http_error", "The feed answered with status \(response.status)") }
        guard let root = outline.flatMap(Markup.init) else { throw StepFailure("unreadable_feed", "The feed is not XML.", isRetryable: false) }
        switch root.name {
        case "rss": return (root.child("channel")?.children("item") ?? []).prefix(itemsMaximum).map { adding(further, of: $0, to: rss($0)) }
        case "rdf:RDF", "RDF": return root.children("item").prefix(itemsMaximum).map { adding(further, of: $0, to: rss($0)) }
        case "feed", "atom:feed":
            return root.children.filter { $0.name.hasSuffix("entry") }.prefix(itemsMaximum).map { adding(further, of: $0, to: atom($0)) }
        default: throw StepFailure("unreadable_feed", "Feed not recognized as RSS 1 or 2.", isRetryable: false)
        }
    }

    /// An element without text is given by its attributes, in `$`.
    private static func adding(_ names: [String], of entry: Markup, to item: JSONObject) -> JSONObject {
        var item = item
        for name in names where item[name] == nil {
            guard let element = entry.child(name) else { continue }
            let text = element.trimmed
            let isBare = text.isEmpty && !element.attributes.isEmpty
            item[name] = isBare ? JSON.object(["$": .object(element.attributes)]) : JSON.string(text)
        }
        return item
    }

    private static func rss(_ entry: Markup) -> JSONObject {
        var item = JSONObject()
        func set(_ name: String, _ element: String) {
            if let text = entry.child(element)?.trimmed, !text.isEmpty { item[name] = .string(text) }
        }
        set("creator", "dc:creator")
        set("title", "title")
        set("link", "link")
        set("pubDate", "pubDate")
        if item["pubDate"] == nil { set("pubDate", "dc:date") }
        for name in ["author", "comments"] { set(name, name) }
        for name in ["dc:creator", "dc:date", "dc:title", "content:encoded", "media:content"] { set(name, name) }
        if let encoded = item["content:encoded"]?.text { item["content:encodedSnippet"] = .string(snippet(encoded)) }
        if let description = entry.child("description")?.trimmed, !description.isEmpty {
            item["content"] = .string(description)
            item["contentSnippet"] = .string(snippet(description))
        }
        set("guid", "guid")
        let categories = entry.children("category").map { JSON.string($0.trimmed) }
        if !categories.isEmpty { item["categories"] = .array(categories) }
        if let enclosure = entry.child("enclosure") { item["enclosure"] = .object(enclosure.attributes) }
        setDate(&item)
        return item
    }

    private static func atom(_ entry: Markup) -> JSONObject {
        var item = JSONObject()
        func child(_ name: String) -> Markup? { entry.child(name) ?? entry.child("atom:\(name)") }
        func content(_ element: Markup) -> String { element.attribute("type") == "xhtml" ? element.markup : element.trimmed }
        if let title = child("title") { item["title"] = .string(title.trimmed) }
        let links = entry.children("link") + entry.children("atom:link")
        let link = links.first { ($0.attribute("rel") ?? "alternate") == "alternate" } ?? links.first
        if let address = link?.attribute("href") { item["link"] = .string(address) }
        let date = (child("published") ?? child("updated"))?.trimmed
        if let date, let time = LooseTime.parse(.string(date), timeZone: "UTC") { item["pubDate"] = .string(iso(time)) }
        if let author = child("author")?.child("name") { item["author"] = .string(author.trimmed) }
        if let text = child("content").map(content) {
            item["content"] = .string(text)
            item["contentSnippet"] = .string(snippet(text))
        }
        if let summary = child("summary").map(content) { item["summary"] = .string(summary) }
        if let id = child("id") { item["id"] = .string(id.trimmed) }
        let categories = entry.children("category").compactMap { $0.attribute("term").map { JSON.string($0) } }
        if !categories.isEmpty { item["categories"] = .array(categories) }
        setDate(&item)
        return item
    }

    private static func setDate(_ item: inout JSONObject) {
        guard let date = item["pubDate"], let time = LooseTime.parse(date, timeZone: "UTC") else { return }
        item["isoDate"] = .string(iso(time))
    }

    private static func iso(_ time: Timestamp) -> String { String(time.description.dropLast(4)) + "Z" }

    /// Text without tags, the common entities resolved.
    static func snippet(_ html: String) -> String {
        var text = html.replacing(#/<[^>]*>/#, with: "")
        for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        {
            text = text.replacing(entity, with: character)
        }
        return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

/// Which items of a feed are new: kept between polls.
struct FeedCursor: Sendable, Hashable {
    /// The latest time of any item that was seen.
    private(set) var latest: String?
    /// Items of that time, and those without a time, by what tells them apart.
    private(set) var seen: [String]

    static let seenMaximum = 1_000

    init(_ json: JSON) {
        latest = json["lastItemDate"]?.text
        seen = (json["seen"]?.array ?? []).compactMap(\.text)
    }

    var json: JSON {
        var members: JSONObject = ["seen": .array(seen.map { .string($0) })]
        members["lastItemDate"] = latest.map { .string($0) }
        return .object(members)
    }

    private var isFirst: Bool { latest == nil && seen.isEmpty }

    /// Takes in what a feed holds now.
    /// - Returns: the new items, in the feed's order; none at the first look, which only says where the feed is.
    mutating func take(_ items: [JSONObject]) -> [JSONObject] {
        let wasFirst = isFirst
        let known = Set(seen)
        let before = latest
        let fresh = items.filter { item in
            guard let date = item["isoDate"]?.text else { return !known.contains(FeedCursor.key(of: item)) }
            guard let before else { return true }
            return date > before || (date == before && !known.contains(FeedCursor.key(of: item)))
        }
        latest = ([latest] + items.map { $0["isoDate"]?.text }).compactMap { $0 }.max()
        let kept = items.filter { $0["isoDate"] == nil || $0["isoDate"]?.text == latest }.map(FeedCursor.key)
        // What is at the latest time, or has none, is remembered as long as there is room.
        let carried = before == latest ? seen : seen.filter { !$0.hasPrefix("@") }
        var all: [String] = []
        var added: Set<String> = []
        for key in kept + carried where added.insert(key).inserted { all.append(key) }
        seen = Array(all.prefix(FeedCursor.seenMaximum))
        return wasFirst ? [] : fresh
    }

    /// Keys of items with a time begin with `@`.
    private static func key(of item: JSONObject) -> String {
        let mark = item["isoDate"] == nil ? "" : "@"
        return mark + (item["guid"]?.text ?? item["id"]?.text ?? item["link"]?.text ?? item["title"]?.text ?? JSON.object(item).serialized)
    }
}
