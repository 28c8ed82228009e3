internal import Kernel

enum HttpRequestParameters {
    static var all: [Parameter] { current + body + [options] + legacy }

    static func options(_ values: [String]) -> [Parameter.Option] { values.map { .init(.init(.string($0)), $0) } }

    private static let modern: Parameter.ShowWhen = ["@version": [">=3"]]

    private static func pairs(_ name: String, _ label: String, _ send: String, _ specify: String) -> Parameter {
        Parameter(
            name, .collection, label, default: .init(["parameters": [["name": "", "value": ""]]]),
            fields: [
                Parameter(
                    "parameters", .list, label,
                    fields: [Parameter("name", .string, "Name", default: ""), Parameter("value", .string, "Value", default: "")])
            ], showWhen: [send: [true], specify: ["keypair"]])
    }

    private static var current: [Parameter] {
        let methods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
        let ways = options(["keypair", "json"])
        return [
            Parameter("method", .options, "Method", default: "GET", options: options(methods), showWhen: modern),
            Parameter("url", .string, "Address", default: "", required: true),
            Parameter(
                "authentication", .options, "Authentication", default: "none",
                options: options(["none", "predefinedCredentialType", "genericCredentialType"]), showWhen: ["@version": [">=2"]]),
            Parameter(
                "authentication", .options, "Authentication", default: "none",
                options: options(["none", "basicAuth", "digestAuth", "headerAuth", "oAuth2", "queryAuth"]), showWhen: ["@version": ["<2"]]),
            Parameter("nodeCredentialType", .string, "Credential type", default: "", showWhen: ["authentication": ["predefinedCredentialType"]]),
            Parameter(
                "genericAuthType", .options, "Credential type", default: "",
                options: options(HttpAuthentication.genericTypes),
                showWhen: ["authentication": ["genericCredentialType"]]),
            Parameter("provideSslCertificates", .boolean, "Show a client's certificate", default: false, showWhen: modern),
            Parameter("sendQuery", .boolean, "Send query", default: false, showWhen: modern),
            Parameter("specifyQuery", .options, "Query as", default: "keypair", options: ways, showWhen: ["sendQuery": [true]]),
            pairs("queryParameters", "Query", "sendQuery", "specifyQuery"),
            Parameter("jsonQuery", .json, "Query", default: "", showWhen: ["sendQuery": [true], "specifyQuery": ["json"]]),
            Parameter("sendHeaders", .boolean, "Send headers", default: false, showWhen: modern),
            Parameter("specifyHeaders", .options, "Headers as", default: "keypair", options: ways, showWhen: ["sendHeaders": [true]]),
            pairs("headerParameters", "Headers", "sendHeaders", "specifyHeaders"),
            Parameter("jsonHeaders", .json, "Headers", default: "", showWhen: ["sendHeaders": [true], "specifyHeaders": ["json"]])
        ]
    }

    private static var body: [Parameter] {
        let sends: Parameter.ShowWhen = ["sendBody": [true]]
        func when(_ type: JSONText, _ specify: JSONText? = nil) -> Parameter.ShowWhen {
            var rule = sends
            rule["contentType"] = [type]
            if let specify { rule["specifyBody"] = [specify] }
            return rule
        }
        return [
            Parameter("sendBody", .boolean, "Send a body", default: false, showWhen: modern),
            Parameter(
                "contentType", .options, "Body", default: "json",
                options: options(["json", "form-urlencoded", "multipart-form-data", "binaryData", "raw"]), showWhen: sends),
            Parameter("specifyBody", .options, "Body as", default: "keypair", options: options(["keypair", "json"]), showWhen: when("json")),
            Parameter(
                "specifyBody", .options, "Body as", default: "keypair", options: options(["keypair", "string"]), showWhen: when("form-urlencoded")),
            Parameter(
                "bodyParameters", .collection, "Fields", default: .init(["parameters": [["name": "", "value": ""]]]),
                fields: [
                    Parameter(
                        "parameters", .list, "Fields",
                        fields: [
                            Parameter(
                                "parameterType", .options, "Kind", default: "formData", options: options(["formData", "formBinaryData"]),
                                showWhen: ["contentType": ["multipart-form-data"]]),
                            Parameter("name", .string, "Name", default: ""), Parameter("value", .string, "Value", default: ""),
                            Parameter("inputDataFieldName", .string, "File property", default: "", showWhen: ["parameterType": ["formBinaryData"]])
                        ])
                ], showWhen: ["sendBody": [true], "contentType": ["json", "form-urlencoded", "multipart-form-data"]]),
            Parameter("jsonBody", .json, "JSON", default: "", showWhen: when("json", "json")),
            Parameter("body", .text, "Body", default: "", showWhen: ["sendBody": [true], "contentType": ["raw", "form-urlencoded"]]),
            Parameter("rawContentType", .string, "Content type", default: "", showWhen: when("raw")),
            Parameter("inputDataFieldName", .string, "File property", default: "", showWhen: when("binaryData"))
        ]
    }

    private static var options: Parameter {
        Parameter("options", .collection, "Options", default: .init([:]), fields: currentOptions + legacyOptions)
    }

    private static var currentOptions: [Parameter] {
        func nested(_ name: String, _ inner: String, _ label: String, _ fields: [Parameter]) -> Parameter {
            Parameter(name, .collection, label, fields: [Parameter(inner, .collection, label, fields: fields)])
        }
        func redirect(follows: JSONText) -> Parameter {
            nested(
                "redirect", "redirect", "Redirects",
                [Parameter("followRedirects", .boolean, "Follow", default: follows), Parameter("maxRedirects", .number, "At most", default: 21)])
        }
        return [
            Parameter("timeout", .number, "Time limit (ms)", default: 300_000),
            Parameter("proxy", .string, "Proxy", help: "http://user:password@proxy.example.com:3128 or socks5://proxy.example.com:1080"),
            Parameter("allowUnauthorizedCerts", .boolean, "Accept any certificate", default: false),
            Parameter("requestUncompressedResponse", .boolean, "Ask for an answer that is not compressed", default: false),
            Parameter("lowercaseHeaders", .boolean, "Header names in lower case", default: true),
            Parameter(
                "queryParameterArrays", .options, "Lists in the query", default: "brackets", options: options(["brackets", "indices", "repeat"])),
            nested(
                "batching", "batch", "Batches",
                [
                    Parameter("batchSize", .number, "Requests at a time", default: 50),
                    Parameter("batchInterval", .number, "Between two groups (ms)", default: 1_000)
                ]),
            redirect(follows: false).shown(when: ["@version": ["<4"]]), redirect(follows: true).shown(when: ["@version": [">=4"]]),
            nested(
                "response", "response", "Response",
                [
                    Parameter("fullResponse", .boolean, "With headers and status", default: false),
                    Parameter("neverError", .boolean, "Take every status", default: false),
                    Parameter(
                        "responseFormat", .options, "Format", default: "autodetect", options: options(["autodetect", "file", "json", "text"])),
                    Parameter("outputPropertyName", .string, "Put into", default: "data")
                ]),
            nested("pagination", "pagination", "Pages", HttpRequestParameters.pagination),
            Parameter(
                "retry", .collection, "Retries",
                fields: [
                    Parameter("maxTries", .number, "Attempts in all", default: 1),
                    Parameter("waitBetweenTries", .number, "First wait (ms), doubled each time", default: 1_000)
                ])
        ]
    }

    private static var legacyOptions: [Parameter] {
        [
            Parameter("batchSize", .number, "Requests at a time"), Parameter("batchInterval", .number, "Between two groups (ms)"),
            Parameter("bodyContentType", .options, "Body", options: options(["json", "raw", "form-urlencoded", "multipart-form-data"])),
            Parameter("bodyContentCustomMimeType", .string, "Content type"), Parameter("fullResponse", .boolean, "With headers and status"),
            Parameter("followRedirect", .boolean, "Follow redirects of reads"), Parameter("followAllRedirects", .boolean, "Follow all redirects"),
            Parameter("maxRedirects", .number, "At most"), Parameter("ignoreResponseCode", .boolean, "Take every status"),
            Parameter("splitIntoItems", .boolean, "An item for each element of a list")
        ].map { $0.shown(when: ["@version": ["<3"]]) }
    }

    private static var pagination: [Parameter] {
        [
            Parameter(
                "paginationMode", .options, "Mode", default: "updateAParameterInEachRequest",
                options: options(["off", "updateAParameterInEachRequest", "responseContainsNextURL"])),
            Parameter("nextURL", .string, "Next address", default: "", showWhen: ["paginationMode": ["responseContainsNextURL"]]),
            Parameter(
                "parameters", .collection, "Parameters",
                fields: [
                    Parameter(
                        "parameters", .list, "Parameters",
                        fields: [
                            Parameter("type", .options, "Where", default: "qs", options: options(["qs", "headers", "body"])),
                            Parameter("name", .string, "Name", default: ""), Parameter("value", .string, "Value", default: "")
                        ])
                ], showWhen: ["paginationMode": ["updateAParameterInEachRequest"]]),
            Parameter(
                "paginationCompleteWhen", .options, "Complete when", default: "responseIsEmpty",
                options: options(["responseIsEmpty", "receiveSpecificStatusCodes", "other"])),
            Parameter(
                "statusCodesWhenComplete", .string, "Status codes", default: "", showWhen: ["paginationCompleteWhen": ["receiveSpecificStatusCodes"]]),
            Parameter("completeExpression", .string, "Expression", default: "", showWhen: ["paginationCompleteWhen": ["other"]]),
            Parameter("limitPagesFetched", .boolean, "Limit pages", default: false),
            Parameter("maxRequests", .number, "At most", default: 100, showWhen: ["limitPagesFetched": [true]]),
            Parameter("requestInterval", .number, "Between two pages (ms)", default: 0)
        ]
    }

    private static var legacy: [Parameter] {
        let old: Parameter.ShowWhen = ["@version": ["<3"]]
        func pairs(_ name: String) -> Parameter {
            Parameter(
                name, .collection, name, default: .init([:]),
                fields: [
                    Parameter(
                        "parameter", .list, name,
                        fields: [Parameter("name", .string, "Name", default: ""), Parameter("value", .string, "Value", default: "")])
                ], showWhen: old)
        }
        return [
            Parameter(
                "requestMethod", .options, "Method", default: "GET", options: options(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]),
                showWhen: old),
            Parameter("allowUnauthorizedCerts", .boolean, "Accept any certificate", default: false, showWhen: old),
            Parameter("responseFormat", .options, "Format", default: "json", options: options(["file", "json", "string"]), showWhen: old),
            Parameter("dataPropertyName", .string, "Put into", default: "data", showWhen: old),
            Parameter("jsonParameters", .boolean, "Parameters as JSON", default: false, showWhen: old),
            Parameter("sendBinaryData", .boolean, "Send a file", default: false, showWhen: old),
            Parameter("binaryPropertyName", .string, "File property", default: "data", showWhen: old),
            pairs("bodyParametersUi"), pairs("headerParametersUi"), pairs("queryParametersUi"),
            Parameter("bodyParametersJson", .json, "Body", default: "", showWhen: old),
            Parameter("headerParametersJson", .json, "Headers", default: "", showWhen: old),
            Parameter("queryParametersJson", .json, "Query", default: "", showWhen: old)
        ]
    }
}
