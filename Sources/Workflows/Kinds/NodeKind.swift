package import Kernel

/// All that validation, the builder's form, documentation and import know of a kind of node. Built-in kinds and connector
/// manifests yield the same value; what runs is an executor found by `kind`.
package struct NodeKind: Sendable, Codable, Hashable {
    /// What a step of this kind may do outside, and so how it is repeated after a crash.
    package enum Effect: String, Sendable, Codable, Hashable {
        /// Nothing leaves the process: its journal row rides in the next commit.
        case pure
        /// May be repeated freely (reads).
        case repeatable
        /// Repeated with the same idempotency key.
        case keyed
        /// Not repeatable: after a crash in flight the step is `uncertain` and asks.
        case once
    }

    /// `set`
    package var kind: String
    /// The current version of new nodes.
    package var version: Double
    package var category: WorkflowCategory
    package var title: String
    package var summary: String
    /// Icon name of the console's set.
    package var icon: String
    package var parameters: [Parameter]
    package var inputs: Ports
    package var outputs: Ports
    /// Other outputs under some settings; the first rule that applies wins. `outputNames(of:)` decides.
    package var outputRules: [PortRule] = []
    /// Accepted credential types; empty where it needs none.
    package var credentials: [String]
    package var effect: Effect
    /// Where it stands in n8n: type names this kind imports (`n8n-nodes-base.set`).
    package var n8nTypes: [String]

    package init(
        kind: String, version: Double = 1, category: WorkflowCategory, title: String, summary: String, icon: String = "node",
        parameters: [Parameter] = [], inputs: Ports = .fixed(["main"]), outputs: Ports = .fixed(["main"]), credentials: [String] = [],
        effect: Effect = .pure, n8nTypes: [String] = []
    ) {
        self.kind = kind
        self.version = version
        self.category = category
        self.title = title
        self.summary = summary
        self.icon = icon
        self.parameters = parameters
        self.inputs = inputs
        self.outputs = outputs
        self.credentials = credentials
        self.effect = effect
        self.n8nTypes = n8nTypes
    }
}

package typealias WorkflowCategory = WorkflowNode.Category
extension WorkflowNode.Category: Codable {}

/// A node's inputs or outputs, in order, as names; some depend on its parameters.
package enum Ports: Sendable, Codable, Hashable {
    case fixed([String])
    /// As many as the number in a parameter, named `input 1`, `input 2`, … (merge).
    case count(parameter: String, default: Int)
    /// One for each entry of a list in a parameter (path with dots), and one more where `fallback` has this value (switch).
    case entries(parameter: String, nameKey: String, fallbackParameter: String?, fallbackValue: String?)
}

/// The ports of a node whose parameters have one of these values, as in `Parameter.showWhen`.
package struct PortRule: Sendable, Codable, Hashable {
    package var showWhen: Parameter.ShowWhen
    package var ports: Ports
    package init(_ showWhen: Parameter.ShowWhen, _ ports: Ports) {
        self.showWhen = showWhen
        self.ports = ports
    }
}

/// One parameter of a kind, with what its form needs.
package struct Parameter: Sendable, Codable, Hashable {
    package enum Kind: String, Sendable, Codable, Hashable {
        case string, text, number, boolean, options, json, code, dateTime = "date_time"
        case collection, list, filter, assignments
        case resourceLocator = "resource_locator"
        case notice
    }
    /// The tenant's things that a value can name: the editor offers them, searched by name.
    package enum Resource: String, Sendable, Codable, Hashable {
        case workflow
        case dataTable = "data_table"
        /// Of the data table that the node's `dataTableId` names.
        case dataTableColumn = "data_table_column"
    }
    package struct Option: Sendable, Codable, Hashable {
        package var value: JSONText
        package var label: String
        package init(_ value: JSONText, _ label: String) {
            self.value = value
            self.label = label
        }
    }
    /// Shown, and required, only where other parameters have one of these values; `@version` asks for the node's version.
    package typealias ShowWhen = [String: [JSONText]]

    package var name: String
    package var kind: Kind
    package var label: String
    package var help: String?
    package var defaultValue: JSONText?
    package var isRequired: Bool
    package var options: [Option]
    /// Members of a collection or of a list's entries.
    package var fields: [Parameter]
    package var showWhen: ShowWhen
    /// What it names, where that is one of the tenant's things.
    package var resource: Resource?

    package init(
        _ name: String, _ kind: Kind, _ label: String, help: String? = nil, default defaultValue: JSONText? = nil, required: Bool = false,
        options: [Option] = [], fields: [Parameter] = [], showWhen: ShowWhen = [:], resource: Resource? = nil
    ) {
        self.name = name
        self.kind = kind
        self.label = label
        self.help = help
        self.defaultValue = defaultValue
        self.isRequired = required
        self.options = options
        self.fields = fields
        self.showWhen = showWhen
        self.resource = resource
    }
}

/// A JSON value that is `Codable` as itself.
package struct JSONText: Sendable, Codable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package var value: JSON
    package init(_ value: JSON) { self.value = value }
    package init(stringLiteral value: String) { self.value = .string(value) }
    package init(integerLiteral value: Int) { self.value = .number(Double(value)) }
    package init(booleanLiteral value: Bool) { self.value = .bool(value) }
    package init(from decoder: any Decoder) throws { value = try JSON(from: decoder) }
    package func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}
