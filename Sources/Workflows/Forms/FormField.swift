internal import Kernel

/// One field of a form, as n8n's form nodes describe it.
struct FormField: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        case text, textarea, number, email, date, password, url, dropdown, checkbox, radio, file, html, hidden
    }

    /// Its place, which is also its name in the page: `field-0`.
    let id: String
    let kind: Kind
    let label: String
    /// The member of the item that the answer is written to; nil for what gives none.
    let member: String?
    let isRequired: Bool
    let placeholder: String
    let options: [String]
    let takesSeveral: Bool
    /// How many options may be chosen.
    let selections: ClosedRange<Int>?
    let acceptedTypes: String
    let html: String
    let fixedValue: String
    /// Luxon's pattern of a date; empty for `yyyy-mm-dd`.
    let dateFormat: String

    init(_ json: JSON, index: Int, version: Double) {
        func text(_ name: String) -> String { json[name].map(FormField.plain) ?? "" }
        id = "field-\(index)"
        let written = json["fieldType"]?.text ?? "text"
        kind = Kind(rawValue: written) ?? ["select": .dropdown, "hiddenField": .hidden, "string": .text][written] ?? .text
        label = text("fieldLabel")
        let name = text("fieldName")
        switch kind {
        case .html: member = text("elementName").isEmpty ? nil : text("elementName")
        case .hidden: member = name.isEmpty ? label : name
        default: member = version >= 2.4 && !name.isEmpty ? name : label
        }
        isRequired = json["requiredField"]?.boolean ?? false
        placeholder = text("placeholder")
        options = (json["fieldOptions"]?["values"]?.array ?? []).compactMap { $0["option"].map(FormField.plain) }
        takesSeveral =
            kind == .checkbox || (kind == .dropdown && json["multiselect"]?.boolean == true) || json["multipleFiles"]?.boolean ?? (kind == .file)
        func count(_ name: String) -> Int? {
            guard let number = json[name]?.coercedNumber, number.isFinite else { return nil }
            return number.whole(in: 0...Int(Int32.max))
        }
        switch json["limitSelection"]?.text {
        case "exact": selections = count("numberOfSelections").map { max(0, $0)...max(0, $0) }
        case "range": selections = max(0, count("minSelections") ?? 0)...max(count("minSelections") ?? 0, count("maxSelections") ?? Int.max)
        default: selections = nil
        }
        acceptedTypes = text("acceptFileTypes")
        html = text("html")
        fixedValue = text("fieldValue")
        dateFormat = text("formatDate")
    }

    /// The mark of an expression that nothing evaluates here is dropped.
    static func plain(_ value: JSON) -> String {
        let text = value.displayText
        return text.hasPrefix("=") ? String(text.dropFirst()) : text
    }

    /// The name of its files in the item: letters, digits and `_`.
    var fileName: String {
        String(
            (member ?? label).unicodeScalars.map {
                $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_") ? Character($0) : "_"
            })
    }
}

/// A page that asks: its title, its text and its fields.
struct FormDefinition: Sendable, Hashable {
    var title: String
    var description: String
    var button: String?
    var fields: [FormField]
    var version: Double

    /// As a waiting step keeps it.
    init(_ json: JSON) {
        title = json["title"].map(FormField.plain) ?? ""
        description = json["description"].map(FormField.plain) ?? ""
        button = json["button"].map(FormField.plain).flatMap { $0.isEmpty ? nil : $0 }
        version = json["version"]?.double ?? 1
        let version = version
        fields = (json["fields"]?.array ?? []).prefix(Limits.formFields).enumerated().map { FormField($1, index: $0, version: version) }
    }

    /// The page of a form trigger.
    init(trigger node: WorkflowNode) {
        self.init([
            "title": node.config["formTitle"] ?? "", "description": node.config["formDescription"] ?? "",
            "button": node.config["options"]?["buttonLabel"] ?? "", "fields": FormDefinition.fields(of: node.config),
            "version": .number(node.kindVersion)
        ])
    }

    /// The list of fields, given one by one or as JSON.
    static func fields(of config: JSONObject) -> JSON {
        if config["defineForm"] == "json", let text = config["jsonOutput"] {
            return text.array.map { .array($0) } ?? (try? JSON(parsing: FormField.plain(text))) ?? []
        }
        return config["formFields"]?["values"] ?? []
    }
}

extension Limits {
    static let formFields = 200
    /// Of one answer, files included.
    static let formBodyBytes = 32 << 20
}
