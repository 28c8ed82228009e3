internal import Kernel

/// Holds the run for a while, until a time, or until its address is called or its form filled in.
struct WaitNode: NodeExecutor {
    static var kinds: [NodeKind] {
        let interval: Parameter.ShowWhen = ["resume": ["timeInterval"]]
        let call: Parameter.ShowWhen = ["resume": ["webhook"]]
        let form: Parameter.ShowWhen = ["resume": ["form"]]
        return [
            NodeKind(
                kind: "wait", version: 1.1, category: .action, title: "Wait", summary: "Holds the run for a while or until something happens.",
                icon: "clock",
                parameters: [
                    Parameter(
                        "resume", .options, "Go on", default: "timeInterval",
                        options: [
                            .init("timeInterval", "After a while"), .init("specificTime", "At a time"),
                            .init("webhook", "When its address is called"),
                            .init("form", "When its form is filled in")
                        ]),
                    Parameter("amount", .number, "Amount", default: 1, showWhen: interval.merging(["@version": ["<1.1"]]) { $1 }),
                    Parameter("amount", .number, "Amount", default: 5, showWhen: interval.merging(["@version": [">=1.1"]]) { $1 }),
                    Parameter("unit", .options, "Unit", default: "hours", options: units, showWhen: interval.merging(["@version": ["<1.1"]]) { $1 }),
                    Parameter(
                        "unit", .options, "Unit", default: "seconds", options: units, showWhen: interval.merging(["@version": [">=1.1"]]) { $1 }),
                    Parameter("dateTime", .dateTime, "Time", default: "", required: true, showWhen: ["resume": ["specificTime"]]),
                    Parameter("formTitle", .string, "Title", default: "", showWhen: form),
                    Parameter("formDescription", .text, "Description", default: "", showWhen: form)
                ] + [FormParameters.fields].map { $0.shown(when: form) } + calls(call) + FormParameters.limits(when: ["resume": ["webhook", "form"]])
                    + [
                        Parameter("options", .collection, "Options", default: .init([:]), fields: options, showWhen: ["resume": ["webhook", "form"]])
                    ], credentials: ["httpBasicAuth", "httpHeaderAuth", "jwtAuth"], n8nTypes: ["n8n-nodes-base.wait"])
        ]
    }

    private static var units: [Parameter.Option] {
        ["seconds", "minutes", "hours", "days"].map { .init(.init(.string($0)), $0) }
    }

    private static func calls(_ call: Parameter.ShowWhen) -> [Parameter] {
        [
            Parameter(
                "incomingAuthentication", .options, "Authentication", default: "none",
                options: [.init("none", "None"), .init("basicAuth", "Basic"), .init("headerAuth", "Header"), .init("jwtAuth", "JWT")], showWhen: call),
            Parameter(
                "httpMethod", .options, "Method", default: "GET",
                options: ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"].map { .init(.init(.string($0)), $0) }, showWhen: call),
            Parameter(
                "responseMode", .options, "Respond", default: "onReceived",
                options: [
                    .init("onReceived", "At once"), .init("lastNode", "When the last node ends"), .init("responseNode", "From a respond node")
                ], showWhen: call),
            Parameter("responseCode", .number, "Status code", default: 200, showWhen: call),
            Parameter(
                "responseData", .options, "Response data", default: "firstEntryJson",
                options: [
                    .init("firstEntryJson", "First item as JSON"), .init("allEntries", "All items"), .init("firstEntryBinary", "First item's file"),
                    .init("noData", "Nothing")
                ], showWhen: call.merging(["responseMode": ["lastNode"]]) { $1 }),
            Parameter(
                "responseBinaryPropertyName", .string, "File property", default: "data",
                showWhen: call.merging(["responseData": ["firstEntryBinary"]]) { $1 })
        ]
    }

    private static var options: [Parameter] {
        [
            Parameter("webhookSuffix", .string, "Suffix of the address", default: ""),
            Parameter("ignoreBots", .boolean, "Ignore bots", default: false),
            Parameter("responseData", .string, "Response text"), Parameter("responseContentType", .string, "Content type"),
            Parameter("responsePropertyName", .string, "Property to answer with", default: "data"),
            Parameter("responseHeaders", .collection, "Headers", fields: [ResponseParameters.headerEntries]),
            Parameter("noResponseBody", .boolean, "No response body", default: false), Parameter("buttonLabel", .string, "Button", default: "Submit"),
            FormParameters.response
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let items = step.items.enumerated().map { $1.paired(with: $0) }
        switch step.resume {
        case .timer?: return .items([items])
        case .answered(let given)?: return .items([given])
        default: break
        }
        let way = try await step.text("resume", default: "timeInterval")
        switch way {
        case "webhook":
            let suffix = try await step.text("options.webhookSuffix", default: "")
            step.services.setState(["page": ["kind": "call", "suffix": .string(suffix.split(separator: "/").joined(separator: "/"))]])
            return .wait(until: try await step.waitLimit())
        case "form":
            step.services.setState(["page": try await FormNode.page(step, title: "formTitle", description: "formDescription")])
            return .wait(until: try await step.waitLimit())
        case "timeInterval":
            let until = step.now + (try await step.interval("amount", "unit", amount: 1, unit: ""))
            return until <= step.now ? .items([items]) : .wait(until: until)
        case "specificTime":
            let value = try await step.value("dateTime") ?? .null
            guard let time = LooseTime.parse(value, timeZone: step.timeZone) else {
                throw StepFailure.invalid("dateTime", "'\(value.displayText)' is no time.")
            }
            return time <= step.now ? .items([items]) : .wait(until: time)
        default: throw StepFailure.invalid("resume", "Waiting for '\(way)' is not supported.")
        }
    }
}

extension Parameter {
    /// The same parameter, shown under these settings.
    func shown(when showWhen: ShowWhen) -> Parameter {
        var parameter = self
        parameter.showWhen = showWhen
        return parameter
    }
}
