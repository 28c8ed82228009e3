internal import HTTPSurface
internal import Kernel
internal import Outbound

/// A filled-in form: checked against its definition, and as the item that a run gets.
struct FormAnswer: Sendable {
    let definition: FormDefinition
    let form: SubmittedForm

    /// What is wrong, by the field's id; the strings' keys with their arguments.
    var faults: [String: (key: String, arguments: [String: String])] {
        var found: [String: (key: String, arguments: [String: String])] = [:]
        for field in definition.fields { if let fault = fault(of: field) { found[field.id] = fault } }
        return found
    }

    private func fault(of field: FormField) -> (key: String, arguments: [String: String])? {
        let values = form.all(field.id).filter { !$0.isEmpty }
        switch field.kind {
        case .html, .hidden: return nil
        case .file:
            let files = form.files(of: field.id)
            if field.isRequired, files.isEmpty { return ("workflows.form.fault.required", [:]) }
            if !field.takesSeveral, files.count > 1 { return ("workflows.form.fault.one_file", [:]) }
            return files.allSatisfy { FormAnswer.accepts($0, field.acceptedTypes) }
                ? nil : ("workflows.form.fault.file_type", ["types": field.acceptedTypes])
        default: break
        }
        if field.isRequired, values.isEmpty { return ("workflows.form.fault.required", [:]) }
        guard let first = values.first else { return nil }
        switch field.kind {
        case .number: return JSON.string(first).coercedNumber.isFinite ? nil : ("workflows.form.fault.number", [:])
        case .email:
            let isAddress = first.wholeMatch(of: #/[^@\s]+@[^@\s]+\.[^@\s]+/#) != nil
            return isAddress ? nil : ("workflows.form.fault.email", [:])
        case .date: return first.wholeMatch(of: #/\d{4}-\d{2}-\d{2}/#) != nil ? nil : ("workflows.form.fault.date", [:])
        case .dropdown, .checkbox, .radio:
            guard values.allSatisfy(field.options.contains) else { return ("workflows.form.fault.option", [:]) }
            if let selections = field.selections, !selections.contains(values.count) {
                return (
                    "workflows.form.fault.count", ["least": "\(selections.lowerBound)", "most": "\(min(selections.upperBound, field.options.count))"]
                )
            }
            return nil
        default: return nil
        }
    }

    /// `.pdf, image/*, text/csv`
    private static func accepts(_ file: SubmittedForm.File, _ types: String) -> Bool {
        let accepted = StepContext.names(in: types.lowercased())
        guard !accepted.isEmpty else { return true }
        return accepted.contains { type in
            if type.hasPrefix(".") { return file.name.lowercased().hasSuffix(type) }
            if type.hasSuffix("/*") { return file.type.lowercased().hasPrefix(type.dropLast()) }
            return file.type.lowercased() == type || file.name.lowercased().hasSuffix("." + type)
        }
    }

    /// The item: a member for each field, `submittedAt`, `formMode` and, on the first page, the address's parameters.
    func item(
        at now: Timestamp, zone: String, query: [(name: String, value: String)],
        store: (_ bytes: [UInt8], _ type: String, _ name: String) async throws -> BinaryReference
    ) async throws -> Item {
        var item = Item(json: [:])
        for field in definition.fields {
            if field.kind == .file {
                try await attach(field, to: &item, store)
            } else if let member = field.member {
                item.json[member] = value(of: field)
            }
        }
        item.json["submittedAt"] = .string(FormAnswer.time(now, zone: zone))
        item.json["formMode"] = "production"
        if !query.isEmpty { item.json["formQueryParameters"] = .object(JSONObject(query.map { ($0.name, .string($0.value)) })) }
        return item
    }

    private func value(of field: FormField) -> JSON {
        let values = form.all(field.id)
        guard let first = values.first else { return field.kind == .hidden ? .string(field.fixedValue) : field.takesSeveral ? [] : .null }
        if field.takesSeveral { return .array(values.map { .string($0) }) }
        switch field.kind {
        case .number: return first.isEmpty ? .null : .number(JSON.string(first).coercedNumber)
        case .text: return .string(String(first.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()))
        case .date: return first.isEmpty ? .null : .string(FormAnswer.date(first, format: field.dateFormat))
        default: return .string(first)
        }
    }

    private func attach(
        _ field: FormField, to item: inout Item, _ store: (_ bytes: [UInt8], _ type: String, _ name: String) async throws -> BinaryReference
    ) async throws {
        let files = form.files(of: field.id)
        let facts: [JSON] = files.map { ["filename": .string($0.name), "mimetype": .string($0.type), "size": .number(Double($0.bytes.count))] }
        if let member = field.member { item.json[member] = files.isEmpty ? .null : field.takesSeveral ? .array(facts) : facts[0] }
        for (index, file) in files.enumerated() {
            let name = field.fileName + (files.count > 1 ? "_\(index)" : "")
            var stored = try await store(file.bytes, file.type, file.name)
            stored.fileExtension = FileTypes.ending(ofName: file.name) ?? FileTypes.ending(ofType: file.type)
            item.binary[name] = stored
        }
    }

    /// In the order and with the marks of the pattern: `dd/mm/yyyy`, `yyyy-MM-dd`; n8n's patterns name month and day in either case.
    static func date(_ text: String, format: String) -> String {
        guard !format.isEmpty else { return text }
        let parts = text.split(separator: "-").map(String.init)
        guard parts.count == 3 else { return text }
        return format.replacing("yyyy", with: parts[0]).replacing("YYYY", with: parts[0]).replacing("mm", with: parts[1])
            .replacing("MM", with: parts[1]).replacing("dd", with: parts[2]).replacing("DD", with: parts[2])
    }

    private static func time(_ now: Timestamp, zone: String) -> String {
        let offset = ZoneOffsets(zone).offset(at: now)
        let local = Timestamp(microseconds: now.microseconds + offset * 1_000_000)
        func two(_ value: Int64) -> String { (value < 10 ? "0" : "") + String(value) }
        let mark = offset == 0 ? "Z" : "\(offset < 0 ? "-" : "+")\(two(abs(offset) / 3_600)):\(two(abs(offset) / 60 % 60))"
        return String(local.description.dropLast(4)) + mark
    }
}
