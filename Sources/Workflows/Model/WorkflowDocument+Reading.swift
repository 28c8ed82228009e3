package import Kernel

extension WorkflowDocument {
    /// The newest document format this program reads; written as `schema`.
    package static let schema = 1

    /// Reads the JSON form. `kinds` gives a known kind's `type`, whatever is written, and its `kind_version` where that is left out.
    /// - Throws: an `invalid_workflow` refusal that lists every fault by its path (`nodes[2].config`).
    package init(json: JSON, kinds: (String) -> NodeKind? = { _ in nil }) throws {
        let collector = FaultCollector()
        let document = WorkflowDocument.read(json, kinds: kinds, into: collector)
        guard collector.faults.isEmpty, let document else { throw Refusal.invalidWorkflow(collector.faults) }
        self = document
    }

    /// The same, with the faults written to `collector`; nil where nothing can be made of it.
    static func read(_ json: JSON, kinds: (String) -> NodeKind?, into collector: FaultCollector) -> WorkflowDocument? {
        guard let members = json.object else {
            collector.add("", "wrong_type", "A workflow document is a JSON object.")
            return nil
        }
        let reader = MemberReader(path: "", members: members, collector: collector)
        reader.refuseMembers(except: ["schema", "name", "nodes", "settings", "pinned_data", "origin"])
        _ = reader.integer("schema", in: 1...schema)
        let name = reader.text("name", required: true)
        let written = reader.array("nodes") ?? []
        if written.count > Limits.nodesPerWorkflow { collector.add("nodes", "too_many", StructureCheck.tooManyNodes(written.count)) }
        let nodes = written.prefix(Limits.nodesPerWorkflow).enumerated().compactMap { index, node in
            WorkflowNode.read(node, path: "nodes[\(index)]", kinds: kinds, into: collector)
        }
        let settings = reader.object("settings").map { WorkflowSettings.read($0, path: "settings", into: collector) }
        let pinned = reader.object("pinned_data") ?? [:]
        return WorkflowDocument(
            name: name ?? "", nodes: nodes, settings: settings ?? WorkflowSettings(),
            pinnedData: Dictionary(uniqueKeysWithValues: pinned.map { ($0.key, $0.value) }), origin: reader.value("origin"))
    }
}

extension Refusal {
    package static func invalidWorkflow(_ faults: [Fault]) -> Refusal {
        let listed = Array(faults.prefix(Limits.faultsListed))
        let some = listed.count < Limits.faultsListed ? "\(listed.count) faults" : "\(listed.count) faults or more"
        let count = listed.count == 1 ? "a fault" : some
        return Refusal(.invalid, "invalid_workflow", "The workflow has \(count): see the list.", faults: listed)
    }
}

extension WorkflowSettings {
    static func read(_ members: JSONObject, path: String, into collector: FaultCollector) -> WorkflowSettings {
        let reader = MemberReader(path: path, members: members, collector: collector)
        reader.refuseMembers(except: ["order", "time_zone", "error_workflow", "timeout_seconds", "concurrency", "priority", "catch_up"])
        return WorkflowSettings(
            order: reader.choice("order") ?? .parallel, timeZone: reader.text("time_zone"), errorWorkflow: reader.text("error_workflow"),
            timeoutSeconds: reader.integer("timeout_seconds", in: Limits.runTimeoutSeconds), concurrency: readConcurrency(reader),
            priority: reader.choice("priority") ?? .normal, catchUp: reader.choice("catch_up") ?? .one)
    }

    private static func readConcurrency(_ reader: MemberReader) -> Concurrency? {
        guard let members = reader.object("concurrency") else { return nil }
        let inner = MemberReader(path: reader.field("concurrency"), members: members, collector: reader.collector)
        inner.refuseMembers(except: ["limit", "key", "when_full"])
        guard let limit = inner.integer("limit", in: Limits.concurrency, required: true) else { return nil }
        return Concurrency(limit: limit, key: inner.text("key"), whenFull: inner.choice("when_full") ?? .queue)
    }
}

extension WorkflowNode {
    static let members: Set<String> = [
        "id", "type", "kind", "kind_version", "name", "position", "config", "connections", "credentials", "on_error", "retry", "timeout_seconds",
        "execute_once", "always_output", "disabled", "notes"
    ]

    static func read(_ json: JSON, path: String, kinds: (String) -> NodeKind?, into collector: FaultCollector) -> WorkflowNode? {
        guard let members = json.object else {
            collector.add(path, "wrong_type", "A node is an object.")
            return nil
        }
        let reader = MemberReader(path: path, members: members, collector: collector)
        reader.refuseMembers(except: Self.members)
        let id = reader.text("id", required: true) ?? ""
        let kind = reader.text("kind", required: true) ?? ""
        let declaration = kinds(kind)
        let category: Category? = reader.choice("type", required: declaration == nil)
        return WorkflowNode(
            id: id, category: declaration?.category ?? category ?? .action, kind: kind,
            kindVersion: reader.number("kind_version") ?? declaration?.version ?? 1, name: reader.text("name") ?? id,
            position: readPosition(reader), config: reader.object("config") ?? [:], connections: readConnections(reader),
            credentials: readCredentials(reader), onError: reader.choice("on_error") ?? .stop, retry: readRetry(reader),
            timeoutSeconds: reader.integer("timeout_seconds", in: Limits.stepTimeoutSeconds),
            executeOnce: reader.flag("execute_once"), alwaysOutput: reader.flag("always_output"), disabled: reader.flag("disabled"),
            notes: reader.text("notes"))
    }

    private static func readPosition(_ reader: MemberReader) -> [Double] {
        guard let array = reader.array("position") else { return [0, 0] }
        let numbers = array.compactMap(\.double)
        guard array.count == 2, numbers.count == 2 else {
            reader.fault("position", "wrong_type", "position is a list of two numbers: x and y.")
            return [0, 0]
        }
        return numbers
    }

    private static func readConnections(_ reader: MemberReader) -> [WorkflowConnection] {
        (reader.array("connections") ?? []).enumerated().compactMap { index, value in
            if let target = value.text { return WorkflowConnection(to: target) }
            let place = "connections[\(index)]"
            guard let members = value.object else {
                reader.fault(place, "wrong_type", "A connection is the id of a node, or an object with `to`.")
                return nil
            }
            let edge = MemberReader(path: reader.field(place), members: members, collector: reader.collector)
            edge.refuseMembers(except: ["output", "to", "input", "kind"])
            let ports = 0...(Limits.portsPerNode - 1)
            guard let target = edge.text("to", required: true) else { return nil }
            return WorkflowConnection(
                output: edge.integer("output", in: ports) ?? 0, to: target, input: edge.integer("input", in: ports) ?? 0,
                kind: edge.text("kind") ?? "main")
        }
    }

    private static func readCredentials(_ reader: MemberReader) -> [String: CredentialReference] {
        var credentials: [String: CredentialReference] = [:]
        for (type, value) in reader.object("credentials") ?? [:] {
            let place = "credentials.\(type)"
            guard let members = value.object else {
                reader.fault(place, "wrong_type", "A credential is an object with `id` and `name`.")
                continue
            }
            let reference = MemberReader(path: reader.field(place), members: members, collector: reader.collector)
            reference.refuseMembers(except: ["id", "name"])
            credentials[type] = CredentialReference(id: reference.text("id"), name: reference.text("name") ?? "")
        }
        return credentials
    }

    private static func readRetry(_ reader: MemberReader) -> Retry? {
        guard let members = reader.object("retry") else { return nil }
        let retry = MemberReader(path: reader.field("retry"), members: members, collector: reader.collector)
        retry.refuseMembers(except: ["attempts", "wait_milliseconds", "backoff", "max_wait_milliseconds", "jitter"])
        guard let attempts = retry.integer("attempts", in: Limits.retryAttempts, required: true) else { return nil }
        return Retry(
            attempts: attempts, waitMilliseconds: retry.integer("wait_milliseconds", in: Limits.retryWaitMilliseconds) ?? 1_000,
            backoff: retry.choice("backoff") ?? .fixed,
            maxWaitMilliseconds: retry.integer("max_wait_milliseconds", in: Limits.retryWaitMilliseconds), jitter: retry.flag("jitter"))
    }
}
