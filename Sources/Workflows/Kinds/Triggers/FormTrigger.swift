internal import Kernel

/// Starts when somebody fills in its page; the item is what they wrote.
struct FormTrigger: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "form_trigger", version: 2.2, category: .trigger, title: "Form", summary: "Starts when somebody fills in a form.", icon: "form",
                parameters: parameters, inputs: .fixed([]), credentials: ["httpBasicAuth"], n8nTypes: ["n8n-nodes-base.formTrigger"])
        ]
    }

    /// Where the page is, without slashes at its ends; empty where the node's id stands for it.
    static func path(of node: WorkflowNode) -> String {
        let written = node.config["path"]?.text ?? node.config["options"]?["path"]?.text ?? ""
        return written.split(separator: "/").joined(separator: "/")
    }

    private static var parameters: [Parameter] {
        [
            Parameter(
                "authentication", .options, "Authentication", default: "none", options: [.init("none", "None"), .init("basicAuth", "Basic")],
                showWhen: ["@version": [">=2"]]),
            Parameter("path", .string, "Path", default: "", showWhen: ["@version": ["<2.1"]]),
            Parameter("formTitle", .string, "Title", default: "", required: true),
            Parameter("formDescription", .text, "Description", default: ""),
            FormParameters.fields,
            Parameter(
                "responseMode", .options, "Respond", default: "onReceived",
                options: [
                    .init("onReceived", "When it is submitted"), .init("lastNode", "When the workflow ends"),
                    .init("responseNode", "From a respond node")
                ]),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("appendAttribution", .boolean, "Attribution", default: true),
                    Parameter("buttonLabel", .string, "Button", default: "Submit"), Parameter("path", .string, "Path"),
                    FormParameters.response, Parameter("formSubmittedText", .string, "Text after submitting"),
                    Parameter("ignoreBots", .boolean, "Ignore bots", default: false),
                    Parameter("useWorkflowTimezone", .boolean, "Workflow's time zone")
                ])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome { .items([step.startItems]) }
}

/// Parameters that form nodes share.
enum FormParameters {
    static let types: [Parameter.Option] = [
        .init("checkbox", "Checkboxes"), .init("html", "HTML"), .init("date", "Date"), .init("dropdown", "Dropdown"), .init("email", "E-mail"),
        .init("file", "File"), .init("hiddenField", "Hidden field"), .init("number", "Number"), .init("password", "Password"),
        .init("radio", "Radio buttons"),
        .init("text", "Text"), .init("textarea", "Long text")
    ]

    static let fields = Parameter(
        "formFields", .collection, "Fields", default: .init([:]),
        fields: [
            Parameter(
                "values", .list, "Fields",
                fields: [
                    Parameter("fieldLabel", .string, "Label", default: ""), Parameter("fieldName", .string, "Name"),
                    Parameter("fieldType", .options, "Type", default: "text", options: types),
                    Parameter("elementName", .string, "Element name"), Parameter("placeholder", .string, "Placeholder"),
                    Parameter(
                        "fieldOptions", .collection, "Options",
                        fields: [Parameter("values", .list, "Options", fields: [Parameter("option", .string, "Option", default: "")])]),
                    Parameter("multiselect", .boolean, "Several choices", default: false),
                    Parameter(
                        "limitSelection", .options, "Number of choices",
                        options: [.init("exact", "Exact"), .init("range", "Range"), .init("unlimited", "Any")]),
                    Parameter("numberOfSelections", .number, "Choices"), Parameter("minSelections", .number, "At least"),
                    Parameter("maxSelections", .number, "At most"), Parameter("multipleFiles", .boolean, "Several files"),
                    Parameter("acceptFileTypes", .string, "File types"), Parameter("formatDate", .string, "Date format"),
                    Parameter("html", .text, "HTML"),
                    Parameter("fieldValue", .string, "Value"), Parameter("defaultValue", .string, "Default"),
                    Parameter("requiredField", .boolean, "Required", default: false)
                ])
        ])

    static let response = Parameter(
        "respondWithOptions", .collection, "Response",
        fields: [
            Parameter(
                "values", .collection, "Response",
                fields: [
                    Parameter(
                        "respondWith", .options, "Respond with", default: "text", options: [.init("text", "Text"), .init("redirect", "Redirect")]),
                    Parameter("formSubmittedText", .string, "Text", default: "Your response has been recorded"),
                    Parameter("redirectUrl", .string, "URL")
                ])
        ])

    /// How long a step that waits for somebody waits at most.
    static func limits(when showWhen: Parameter.ShowWhen) -> [Parameter] {
        let limited = showWhen.merging(["limitWaitTime": [true]]) { $1 }
        let interval = limited.merging(["limitType": ["afterTimeInterval"]]) { $1 }
        return [
            Parameter("limitWaitTime", .boolean, "Limit the wait", default: false, showWhen: showWhen),
            Parameter(
                "limitType", .options, "Limit", default: "afterTimeInterval",
                options: [.init("afterTimeInterval", "After a while"), .init("atSpecifiedTime", "At a time")], showWhen: limited),
            Parameter("resumeAmount", .number, "Amount", default: 1, showWhen: interval),
            Parameter(
                "resumeUnit", .options, "Unit", default: "hours",
                options: ["seconds", "minutes", "hours", "days"].map { .init(.init(.string($0)), $0) }, showWhen: interval),
            Parameter(
                "maxDateAndTime", .dateTime, "Time", default: "", showWhen: limited.merging(["limitType": ["atSpecifiedTime"]]) { $1 })
        ]
    }
}
