package import Kernel

extension WorkflowDocument {
    /// The JSON form that `init(json:)` reads back as an equal document.
    package var json: JSON {
        var members: JSONObject = [
            "schema": .number(Double(Self.schema)), "name": .string(name), "nodes": .array(nodes.map(\.json)), "settings": settings.json
        ]
        if !pinnedData.isEmpty { members["pinned_data"] = .object(JSONObject(pinnedData.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })) }
        if let origin { members["origin"] = origin }
        return .object(members)
    }
}

extension WorkflowSettings {
    var json: JSON {
        var members: JSONObject = ["order": .string(order.rawValue)]
        if let timeZone { members["time_zone"] = .string(timeZone) }
        if let errorWorkflow { members["error_workflow"] = .string(errorWorkflow) }
        if let timeoutSeconds { members["timeout_seconds"] = .number(Double(timeoutSeconds)) }
        if let concurrency { members["concurrency"] = concurrency.json }
        if catchUp != .one { members["catch_up"] = .string(catchUp.rawValue) }
        if priority != .normal { members["priority"] = .string(priority.rawValue) }
        return .object(members)
    }
}

extension WorkflowSettings.Concurrency {
    var json: JSON {
        var members: JSONObject = ["limit": .number(Double(limit)), "when_full": .string(whenFull.rawValue)]
        if let key { members["key"] = .string(key) }
        return .object(members)
    }
}

extension WorkflowNode {
    package var json: JSON {
        var members: JSONObject = [
            "id": .string(id), "type": .string(category.rawValue), "kind": .string(kind), "kind_version": .number(kindVersion),
            "name": .string(name), "position": .array(position.map { .number($0) }), "config": .object(config),
            "connections": .array(connections.map(\.json))
        ]
        if !credentials.isEmpty {
            members["credentials"] = .object(JSONObject(credentials.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
        }
        members["on_error"] = .string(onError.rawValue)
        if let retry {
            members["retry"] = retry.json
        }
        if let timeoutSeconds { members["timeout_seconds"] = .number(Double(timeoutSeconds)) }
        members["execute_once"] = .bool(executeOnce)
        members["always_output"] = .bool(alwaysOutput)
        members["disabled"] = .bool(disabled)
        if let notes { members["notes"] = .string(notes) }
        return .object(members)
    }
}

extension WorkflowNode.Retry {
    var json: JSON {
        var members: JSONObject = ["attempts": .number(Double(attempts)), "wait_milliseconds": .number(Double(waitMilliseconds))]
        if backoff != .fixed { members["backoff"] = .string(backoff.rawValue) }
        if let maxWaitMilliseconds { members["max_wait_milliseconds"] = .number(Double(maxWaitMilliseconds)) }
        if jitter { members["jitter"] = true }
        return .object(members)
    }
}

extension WorkflowConnection {
    var json: JSON {
        ["output": .number(Double(output)), "to": .string(to), "input": .number(Double(input)), "kind": .string(kind)]
    }
}

extension CredentialReference {
    var json: JSON { ["id": id.map { .string($0) } ?? .null, "name": .string(name)] }
}
