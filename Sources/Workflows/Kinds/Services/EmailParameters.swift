internal import Kernel

enum EmailParameters {
    static var all: [Parameter] {
        let sends: Parameter.ShowWhen = ["operation": ["send"]]
        let asks: Parameter.ShowWhen = ["operation": ["sendAndWait"]]
        func asking(_ types: JSONText...) -> Parameter.ShowWhen { asks.merging(["responseType": types]) { $1 } }
        let formats: [Parameter.Option] = [.init("text", "Text"), .init("html", "HTML"), .init("both", "Both")]
        return [
            Parameter("resource", .options, "Resource", default: "email", options: [.init("email", "E-mail")], showWhen: ["@version": [">=2"]]),
            Parameter(
                "operation", .options, "Operation", default: "send",
                options: [.init("send", "Send"), .init("sendAndWait", "Send and wait for an answer")]),
            Parameter("fromEmail", .string, "From", default: "", required: true), Parameter("toEmail", .string, "To", default: "", required: true),
            Parameter("ccEmail", .string, "Cc", default: "", showWhen: ["@version": ["<2"]]),
            Parameter("bccEmail", .string, "Bcc", default: "", showWhen: ["@version": ["<2"]]),
            Parameter("subject", .string, "Subject", default: ""),
            Parameter("emailFormat", .options, "Format", default: "html", options: formats, showWhen: sends.merging(["@version": [">=2.1"]]) { $1 }),
            Parameter("emailFormat", .options, "Format", default: "text", options: formats, showWhen: sends.merging(["@version": [2]]) { $1 }),
            Parameter("text", .text, "Text", default: "", showWhen: sends), Parameter("html", .text, "HTML", default: "", showWhen: sends),
            Parameter("attachments", .string, "Attachments", default: "", showWhen: ["@version": ["<2"]]),
            Parameter("message", .text, "Message", default: "", required: true, showWhen: asks),
            Parameter(
                "responseType", .options, "Answer", default: "approval",
                options: [.init("approval", "Approval"), .init("freeText", "Free text"), .init("customForm", "A form")], showWhen: asks),
            Parameter(
                "approvalOptions", .collection, "Approval", default: .init([:]),
                fields: [
                    Parameter(
                        "values", .collection, "Approval",
                        fields: [
                            Parameter(
                                "approvalType", .options, "Buttons", default: "single",
                                options: [.init("single", "Approve"), .init("double", "Approve and decline")]),
                            Parameter("approveLabel", .string, "Approve", default: "Approve"), Parameter("buttonApprovalStyle", .string, "Style"),
                            Parameter("disapproveLabel", .string, "Decline", default: "Decline"),
                            Parameter("buttonDisapprovalStyle", .string, "Style")
                        ])
                ], showWhen: asking("approval")),
            Parameter(
                "defineForm", .options, "Define the form", default: "fields", options: [.init("fields", "By fields"), .init("json", "By JSON")],
                showWhen: asking("customForm")),
            Parameter("jsonOutput", .json, "Fields as JSON", showWhen: asking("customForm")), FormParameters.fields.shown(when: asking("customForm")),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("appendAttribution", .boolean, "Attribution"), Parameter("attachments", .string, "Attachments"),
                    Parameter("ccEmail", .string, "Cc"), Parameter("bccEmail", .string, "Bcc"),
                    Parameter("allowUnauthorizedCerts", .boolean, "Ignore TLS faults", default: false), Parameter("replyTo", .string, "Reply to"),
                    Parameter("messageButtonLabel", .string, "Button in the message", default: "Respond"),
                    Parameter("responseFormTitle", .string, "Form's title"), Parameter("responseFormDescription", .string, "Form's description"),
                    Parameter("responseFormButtonLabel", .string, "Form's button", default: "Submit"),
                    Parameter(
                        "limitWaitTime", .collection, "Limit the wait",
                        fields: [
                            Parameter(
                                "values", .collection, "Limit",
                                fields: FormParameters.limits(when: [:]).filter { $0.name != "limitWaitTime" }.map { $0.shown(when: [:]) })
                        ])
                ])
        ]
    }
}
