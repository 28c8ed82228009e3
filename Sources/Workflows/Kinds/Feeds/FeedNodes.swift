internal import Kernel
internal import Outbound
internal import Scripting

/// Reads a feed.
struct FeedRead: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "rss_read", version: 1.2, category: .action, title: "RSS read", summary: "Reads the items of an RSS or Atom feed.", icon: "rss",
                parameters: [
                    Parameter("url", .string, "URL", default: "", required: true),
                    Parameter(
                        "options", .collection, "Options", default: .init([:]),
                        fields: [
                            Parameter("customFields", .string, "Further fields", help: "Names of elements, such as author, dc:rights."),
                            Parameter("ignoreSSL", .boolean, "Ignore TLS faults", default: false)
                        ])
                ], effect: .repeatable, n8nTypes: ["n8n-nodes-base.rssFeedRead"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, _ in
                let url = try FeedReader.checkedURL(await step.text("url", item: index))
                let further = try await step.names("options.customFields", item: index)
                return try await step.feed(url, verifies: !step.flag("options.ignoreSSL", item: index), further: further).map { Item(json: $0) }
            }
        ])
    }
}

/// Starts for the new items of a feed. The poller looks; started by hand it gives the feed's first item.
struct FeedTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "rss_trigger", category: .trigger, title: "RSS feed", summary: "Starts when a feed has new items.", icon: "rss",
                parameters: [
                    Parameter("feedUrl", .string, "Feed URL", default: "https://blog.n8n.io/rss/", required: true),
                    Parameter(
                        "pollTimes", .collection, "Poll times", default: .init(["item": [["mode": "everyMinute"]]]),
                        fields: [Parameter("item", .list, "Times", fields: ScheduleParameters.cron)])
                ], inputs: .fixed([]), effect: .repeatable, n8nTypes: ["n8n-nodes-base.rssFeedReadTrigger"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if step.mode != "manual" || step.items.contains(where: { !$0.json.isEmpty }) { return .items([step.startItems]) }
        let url = try FeedReader.checkedURL(await step.text("feedUrl"))
        return .items([try await step.feed(url, verifies: true).prefix(1).map { Item(json: $0) }])
    }
}

extension StepContext {
    func feed(_ url: String, verifies: Bool, further: [String] = []) async throws -> [JSONObject] {
        let response = try await services.send(FeedReader.request(url, verifies: verifies))
        let outline = response.status < 400 ? try await convert(FileConversion(.readXML, files: [.init(bytes: response.body)])).facts["root"] : nil
        return try FeedReader.items(response, outline: outline, further: further)
    }
}
