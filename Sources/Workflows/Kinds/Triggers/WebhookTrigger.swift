internal import Kernel

/// Starts on an HTTP request. The item `{headers, params, query, body, webhookUrl, executionMode}` is made by whoever received it.
struct WebhookTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "webhook", version: 2, category: .trigger, title: "Webhook", summary: "Starts the workflow on an HTTP request.",
                icon: "webhook", parameters: parameters, inputs: .fixed([]), credentials: ["httpBasicAuth", "httpHeaderAuth", "jwtAuth"],
                n8nTypes: ["n8n-nodes-base.webhook"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome { .items([step.startItems]) }

    private static var parameters: [Parameter] {
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
        return [
            Parameter("multipleMethods", .boolean, "Several methods", default: false, showWhen: ["@version": [">=2"]]),
            Parameter(
                "httpMethod", .options, "Method", default: "GET", options: methods.map { .init(.init(.string($0)), $0) },
                showWhen: ["multipleMethods": [false]]),
            Parameter(
                "httpMethod", .list, "Methods", default: .init(["GET", "POST"]), options: methods.map { .init(.init(.string($0)), $0) },
                showWhen: ["multipleMethods": [true]]),
            Parameter("path", .string, "Path", help: "After /hooks/; :name takes one segment.", default: "", required: true),
            Parameter(
                "authentication", .options, "Authentication", default: "none",
                options: [
                    .init("none", "None"), .init("basicAuth", "Basic"), .init("headerAuth", "Header"), .init("jwtAuth", "JWT")
                ]),
            Parameter(
                "responseMode", .options, "Respond", default: "onReceived",
                options: [
                    .init("onReceived", "At once"), .init("lastNode", "When the last node ends"),
                    .init("responseNode", "From a respond node"), .init("streaming", "From a respond node, else when the last node ends")
                ]),
            Parameter(
                "responseCode", .number, "Status code", default: 200, showWhen: ["@version": ["<2"], "responseMode": ["onReceived", "lastNode"]]),
            Parameter(
                "responseData", .options, "Response data", default: "firstEntryJson",
                options: [
                    .init("firstEntryJson", "First item as JSON"), .init("allEntries", "All items"),
                    .init("firstEntryBinary", "First item's file"), .init("noData", "Nothing")
                ], showWhen: ["responseMode": ["lastNode"]]),
            Parameter(
                "responseBinaryPropertyName", .string, "File property", default: "data", showWhen: ["responseData": ["firstEntryBinary"]]),
            Parameter(
                "onlyRunIfMode", .string, "Only run if", help: "conditions or expression; else each request starts a run.",
                showWhen: ["@version": [">=2.2"]]),
            Parameter("onlyRunIfConditions", .filter, "Conditions", showWhen: ["onlyRunIfMode": ["conditions"], "@version": [">=2.2"]]),
            Parameter("onlyRunIfExpression", .string, "Expression", showWhen: ["onlyRunIfMode": ["expression"], "@version": [">=2.2"]]),
            Parameter("options", .collection, "Options", default: .init([:]), fields: optionFields)
        ]
    }

    private static var optionFields: [Parameter] {
        [
            Parameter("responseData", .string, "Response text", help: "Answered at once in place of the standard text."),
            Parameter("noResponseBody", .boolean, "No response body", default: false),
            Parameter("responsePropertyName", .string, "Property to answer with", default: "data"),
            Parameter("responseContentType", .string, "Content type"),
            Parameter(
                "responseCode", .collection, "Status code",
                fields: [
                    Parameter(
                        "values", .collection, "Code",
                        fields: [
                            Parameter("responseCode", .number, "Code", default: 200), Parameter("customCode", .number, "Other code", default: 200)
                        ])
                ]),
            Parameter("responseHeaders", .collection, "Headers", fields: [ResponseParameters.headerEntries]),
            Parameter("rawBody", .boolean, "Raw body", default: false),
            Parameter("binaryData", .boolean, "Binary body", default: false),
            Parameter("binaryPropertyName", .string, "File property", help: "A form's files are numbered from 0 after it.", default: "data"),
            Parameter("allowedOrigins", .string, "Allowed origins", default: "*"),
            Parameter("ipWhitelist", .string, "Allowed addresses"),
            Parameter("ignoreBots", .boolean, "Ignore bots", default: false),
            Parameter(
                "onlyRunIf", .string, "Only run if", help: "An expression; other requests are answered and start no run.",
                showWhen: ["@version": ["<2.2"]])
        ]
    }
}
