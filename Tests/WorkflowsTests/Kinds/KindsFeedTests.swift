import Foundation
import Jobs
import Kernel
import Outbound
import Persistence
import Scripting
import Synchronization
import TestKit
import Testing

@testable import Workflows

@Suite struct KindsFeedTests {
    static let rss = """
        <?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
        <title>News</title><item><title>One &amp; two</title><link>https://a.test/1</link><pubDate>Tue, 10 Mar 2026 12:00:00 GMT</pubDate>
        <guid isPermaLink="false">g1</guid><dc:creator>Ann</dc:creator><category>x</category><category>y</category>
        <description><![CDATA[<p>Hi &amp; bye</p>]]></description><content:encoded><![CDATA[<b>long</b>]]></content:encoded>
        <enclosure url="https://a.test/1.mp3" type="audio/mpeg" length="5"/></item><item><title>Two</title><guid>g2</guid></item></channel></rss>
        """
    static let atom = """
        <feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title><link rel="self" href="https://a.test/s"/><link href="https://a.test/1"/>
        <id>urn:1</id><updated>2026-03-10T12:00:00+01:00</updated><author><name>Bo</name></author><content type="xhtml"><div>x <b>y</b></div></content>
        <summary>S</summary></entry></feed>
        """

    static func harness(_ body: String, status: Int = 200) -> KindsHarness {
        var harness = KindsHarness()
        harness.network = { OutboundResponse(status: status, headers: [], body: Array(body.utf8), url: $0.url) }
        return harness
    }

    @Test func `RSS and Atom feeds are read into n8n's members`() async throws {
        let given = try await Self.harness(Self.rss).node(.make("rss_read", 1.1, ["url": "https://a.test/feed"]), inputs: [items([:])])[0]
        #expect(given.count == 2 && given[1] == ["title": "Two", "guid": "g2"])
        let expected: JSONObject = [
            "creator": "Ann", "title": "One & two", "link": "https://a.test/1", "pubDate": "Tue, 10 Mar 2026 12:00:00 GMT", "dc:creator": "Ann",
            "content:encoded": "<b>long</b>", "content:encodedSnippet": "long", "content": "<p>Hi &amp; bye</p>", "contentSnippet": "Hi & bye",
            "guid": "g1", "categories": ["x", "y"], "enclosure": ["url": "https://a.test/1.mp3", "type": "audio/mpeg", "length": "5"],
            "isoDate": "2026-03-10T12:00:00.000Z"
        ]
        for (name, value) in expected { #expect(given[0][name] == value, "\(name)") }
        let atom = try await Self.harness(Self.atom).node(.make("rss_read", 1.2, ["url": "https://a.test/feed"]), inputs: [items([:])])[0][0]
        let members: JSONObject = [
            "title": "A", "link": "https://a.test/1", "id": "urn:1", "author": "Bo", "content": "<div>x <b>y</b></div>", "contentSnippet": "x y",
            "summary": "S", "isoDate": "2026-03-10T11:00:00.000Z", "pubDate": "2026-03-10T11:00:00.000Z"
        ]
        for (name, value) in members { #expect(atom[name] == value, "\(name)") }
        for (body, status) in [("<html>", 200), ("<a/>", 200), ("", 404)] {
            await #expect(throws: StepFailure.self) {
                try await Self.harness(body, status: status).node(.make("rss_read", 1.2, ["url": "https://a.test"]), inputs: [items([:])])
            }
        }
        await #expect(throws: StepFailure.self) {
            try await Self.harness(Self.rss).node(.make("rss_read", 1.2, ["url": "nowhere"]), inputs: [items([:])])
        }
    }

    @Test func `elements that the node names are members of a feed's items, too`() async throws {
        let feed = """
            <rss version="2.0" xmlns:dc="urn:d" xmlns:media="urn:m"><channel><item><title>T</title><dc:rights> free </dc:rights><media:thumbnail url="u"/><empty/></item></channel></rss>
            """
        let config: JSONObject = ["url": "https://a.test", "options": ["customFields": "dc:rights, media:thumbnail,empty,none"]]
        let given = try await Self.harness(feed).node(.make("rss_read", 1.2, config), inputs: [items([:])])[0][0]
        #expect(given == ["title": "T", "dc:rights": "free", "media:thumbnail": ["$": ["url": "u"]], "empty": ""])
    }

    @Test func `entities of a feed are not expanded and nothing is fetched for it`() async throws {
        let bomb = """
            <!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>
            <rss><channel><item><title>t &x;</title><link>&b;</link></item></channel></rss>
            """
        let harness = Self.harness(bomb)
        let given = try await harness.node(.make("rss_read", 1.2, ["url": "https://a.test"]), inputs: [items([:])])[0]
        #expect(given[0]["title"]?.text?.contains("root") == false)
        #expect(harness.log.all.count == 1)
    }

    @Test func `a cursor gives each item once`() {
        func item(_ id: String, _ date: String?) -> JSONObject {
            var item: JSONObject = ["guid": .string(id)]
            item["isoDate"] = date.map { .string($0) }
            return item
        }
        func ids(_ items: [JSONObject]) -> [String] { items.compactMap { $0["guid"]?.text } }
        var cursor = FeedCursor([:])
        #expect(cursor.take([item("a", "2026-01-01"), item("n", nil)]).isEmpty)
        cursor = FeedCursor(cursor.json)
        #expect(ids(cursor.take([item("a", "2026-01-01"), item("b", "2026-01-01"), item("n", nil)])) == ["b"])
        #expect(ids(cursor.take([item("c", "2026-01-02"), item("old", "2025-01-01"), item("n", nil), item("m", nil)])) == ["c", "m"])
        cursor = FeedCursor(cursor.json)
        #expect(cursor.take([item("c", "2026-01-02"), item("b", "2026-01-01"), item("m", nil)]).isEmpty)
    }

    @Test func `a published feed trigger starts runs with what is new, once`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let lease = harness.lease
            let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
            let feed = Mutex(Self.rss)
            let converter = KindsHarness.converter
            var services = EngineServices.plain
            services.send = { request, _ in
                OutboundResponse(status: 200, headers: [], body: Array(feed.withLock { $0 }.utf8), url: request.url)
            }
            services.facilities = StepFacilities(convert: { try await converter.convert($0) })
            let engine = Engine(
                database: lease.database, lease: worker, services: services,
                configuration: Engine.Configuration(
                    kinds: .builtIn, load: { _, _, _ in throw Refusal.missing("workflow") }, resolve: { _, _ in throw Refusal.missing("workflow") },
                    errorWorkflow: { _, _ in nil }),
                clock: lease.clock.clock, ids: lease.ids, blobs: lease.blobs)
            let poller = Poller(engine: engine, workflows: harness.workflows, services: services)
            let last = Mutex<Jobs.Timer?>(nil)
            let timers = TimerService(
                database: lease.database, clock: lease.clock.clock, logger: engine.logger,
                handlers: [
                    Poller.timerKind: { timer in
                        last.withLock { $0 = timer }
                        try await poller.poll(timer)
                    }
                ])
            let me = harness.principal()
            let document = WorkflowDocument(
                name: "Feed",
                nodes: [
                    WorkflowNode(
                        id: "f", category: .trigger, kind: "rss_trigger", name: "Feed", config: ["feedUrl": "https://a.test/feed"],
                        connections: [.init(to: "n")]), WorkflowNode(id: "n", category: .action, kind: "no_op", name: "N")
                ])
            let workflow = try await harness.workflows.create(document, by: me)
            _ = try await harness.workflows.publish(workflow.id, by: me)
            func poll() async throws -> [[JSON]] {
                lease.clock.advance(by: .seconds(61))
                try await timers.fireDue()
                return try await runs()
            }
            func runs() async throws -> [[JSON]] {
                try await lease.database.read(in: lease.tenant) { tx in
                    try RunStore(tx: tx).list(workflow: workflow.id, before: nil, limit: 10).map { run in
                        try PayloadReader(tx: tx, run: run.id, blobs: lease.blobs).input(run).items().compactMap { $0.json["title"] }
                    }
                }
            }
            #expect(try await poll().isEmpty)
            feed.withLock {
                $0 = $0.replacing("<title>News</title>", with: "<item><title>New</title><pubDate>Wed, 11 Mar 2026 12:00:00 GMT</pubDate></item>")
            }
            #expect(try await poll() == [["New"]])
            #expect(try await poll() == [["New"]])
            feed.withLock {
                let newer = "<item><title>Newer</title><pubDate>Wed, 11 Mar 2026 13:00:00 GMT</pubDate></item>"
                $0 = $0.replacing("<item><title>New</title>", with: newer + "<item><title>New</title>")
            }
            // One whose claim was over before it had seen what there is: its timer is another's by now.
            let late = try #require(last.withLock { $0 })
            try await poller.poll(late)
            #expect(try await runs() == [["New"]])
            #expect(try await poll() == [["Newer"], ["New"]])
            feed.withLock { $0 = "broken" }
            #expect(try await poll() == [["Newer"], ["New"]])
            _ = try await harness.workflows.unpublish(workflow.id, by: me)
            #expect(try await timers.fireDue() == 0)
        }
    }

    @Test func `a look whose run finds no place leaves its items to the next one`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let lease = harness.lease
            let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
            let feed = Mutex(Self.rss)
            let converter = KindsHarness.converter
            var services = EngineServices.plain
            services.send = { request, _ in
                OutboundResponse(status: 200, headers: [], body: Array(feed.withLock { $0 }.utf8), url: request.url)
            }
            services.facilities = StepFacilities(convert: { try await converter.convert($0) })
            let engine = Engine(
                database: lease.database, lease: worker, services: services,
                configuration: Engine.Configuration(
                    kinds: .builtIn, load: { _, _, _ in throw Refusal.missing("workflow") }, resolve: { _, _ in throw Refusal.missing("workflow") }),
                clock: lease.clock.clock, ids: lease.ids, blobs: lease.blobs)
            let poller = Poller(engine: engine, workflows: harness.workflows, services: services)
            let timers = TimerService(
                database: lease.database, clock: lease.clock.clock, logger: engine.logger,
                handlers: [Poller.timerKind: { try await poller.poll($0) }])
            let document = WorkflowDocument(
                name: "Feed",
                nodes: [
                    WorkflowNode(
                        id: "f", category: .trigger, kind: "rss_trigger", name: "Feed", config: ["feedUrl": "https://a.test/feed"],
                        connections: [.init(to: "n")]), WorkflowNode(id: "n", category: .action, kind: "no_op", name: "N")
                ], settings: WorkflowSettings(concurrency: .init(limit: 1, whenFull: .skip)))
            let workflow = try await harness.workflows.create(document, by: harness.principal())
            _ = try await harness.workflows.publish(workflow.id, by: harness.principal())
            func item(_ title: String, hour: Int) -> String {
                "<item><title>\(title)</title><pubDate>Wed, 11 Mar 2026 \(hour):00:00 GMT</pubDate></item></channel>"
            }
            func poll() async throws -> [RunID] {
                lease.clock.advance(by: .seconds(61))
                try await timers.fireDue()
                return try await lease.database.read(in: lease.tenant) { tx in
                    try RunStore(tx: tx).list(workflow: workflow.id, before: nil, limit: 10).map(\.id)
                }
            }
            #expect(try await poll().isEmpty)
            feed.withLock { $0 = $0.replacing("</channel>", with: item("New", hour: 12)) }
            let first = try await poll()
            #expect(first.count == 1)
            feed.withLock { $0 = $0.replacing("</channel>", with: item("Newer", hour: 13)) }
            #expect(try await poll() == first)
            try await lease.database.write(in: lease.tenant) { tx in try SlotStore(tx: tx).leave(first[0]) }
            let second = try await poll()
            #expect(second.count == 2)
            let titles = try await lease.database.read(in: lease.tenant) { tx -> [JSON] in
                let runs = RunStore(tx: tx)
                guard let run = try runs.find(second[0]) else { return [] }
                return try PayloadReader(tx: tx, run: run.id, blobs: lease.blobs).input(run).items().compactMap { $0.json["title"] }
            }
            #expect(titles == ["Newer"])
        }
    }
}
