package import Kernel

/// Collects the faults of a document, so that all are told at once; of a great many the first.
package final class FaultCollector {
    package private(set) var faults: [Refusal.Fault] = []

    package init() {}

    package func add(_ field: String, _ code: String, _ message: String) {
        guard faults.count < Limits.faultsListed else { return }
        faults.append(Refusal.Fault(field: field, code: code, message: message))
    }
}

/// Reads the members of one JSON object. What does not fit is written down as a fault at its path and read as absent.
/// A member that is null counts as absent.
package struct MemberReader {
    package let path: String
    package let members: JSONObject
    package let collector: FaultCollector

    package init(path: String, members: JSONObject, collector: FaultCollector) {
        self.path = path
        self.members = members
        self.collector = collector
    }

    /// `nodes[2].config`
    package func field(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    package func fault(_ key: String, _ code: String, _ message: String) { collector.add(field(key), code, message) }

    /// A fault for each member that the format does not have: most are misspelt.
    package func refuseMembers(except known: Set<String>) {
        for key in members.keys where !known.contains(key) {
            fault(key, "unknown_field", "There is no field \(key) here.")
        }
    }

    package func value(_ key: String) -> JSON? {
        guard let value = members[key], !value.isNull else { return nil }
        return value
    }

    package func text(_ key: String, required: Bool = false) -> String? {
        guard let value = value(key) else {
            if required { fault(key, "required", "\(key) is missing.") }
            return nil
        }
        guard let text = value.text else { return wrongType(key, "a text") }
        return text
    }

    package func flag(_ key: String) -> Bool {
        guard let value = value(key) else { return false }
        return value.boolean ?? wrongType(key, "true or false") ?? false
    }

    package func number(_ key: String) -> Double? {
        guard let value = value(key) else { return nil }
        return value.double ?? wrongType(key, "a number")
    }

    package func integer(_ key: String, in range: ClosedRange<Int>, required: Bool = false) -> Int? {
        guard let value = value(key) else {
            if required { fault(key, "required", "\(key) is missing.") }
            return nil
        }
        guard let number = value.integer else { return wrongType(key, "a whole number") }
        guard range.contains(number) else {
            fault(key, "out_of_range", "\(key) must be between \(range.lowerBound) and \(range.upperBound).")
            return nil
        }
        return number
    }

    package func object(_ key: String) -> JSONObject? {
        guard let value = value(key) else { return nil }
        return value.object ?? wrongType(key, "an object")
    }

    package func array(_ key: String) -> [JSON]? {
        guard let value = value(key) else { return nil }
        return value.array ?? wrongType(key, "a list")
    }

    package func choice<Value: RawRepresentable & CaseIterable>(_ key: String, required: Bool = false) -> Value? where Value.RawValue == String {
        guard let text = text(key, required: required) else { return nil }
        if let value = Value(rawValue: text) { return value }
        fault(key, "not_an_option", "\(key) must be one of \(Value.allCases.map(\.rawValue).joined(separator: ", ")).")
        return nil
    }

    private func wrongType<Value>(_ key: String, _ wanted: String) -> Value? {
        fault(key, "wrong_type", "\(key) must be \(wanted).")
        return nil
    }
}
