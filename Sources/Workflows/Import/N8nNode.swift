internal import Kernel

/// The part of an n8n node that our document expresses (n8n: packages/workflow/src/interfaces.ts, `INode`). Read leniently: a
/// member of an unexpected type counts as absent, and stays in the document's origin.
struct N8nNode {
    var type: String
    var typeVersion: Double
    var position: [Double]
    var onError: WorkflowNode.OnError
    var retry: WorkflowNode.Retry?
    var executeOnce: Bool
    var alwaysOutput: Bool
    var disabled: Bool
    var notes: String?
    var credentials: [String: CredentialReference]

    init(_ raw: JSONObject) {
        type = raw["type"]?.text ?? ""
        typeVersion = raw["typeVersion"]?.double ?? 1
        position = N8nNode.position(raw["position"])
        onError = N8nNode.onError(raw)
        retry = N8nNode.retry(raw)
        executeOnce = raw["executeOnce"]?.boolean ?? false
        alwaysOutput = raw["alwaysOutputData"]?.boolean ?? false
        disabled = raw["disabled"]?.boolean ?? false
        notes = raw["notes"]?.text
        credentials = (raw["credentials"]?.object ?? [:]).reduce(into: [:]) { references, entry in
            references[entry.key] = CredentialReference(id: nil, name: N8nNode.credentialName(entry.value))
        }
    }

    /// The same part of one of our nodes.
    init(_ node: WorkflowNode, type: String) {
        self.type = type
        typeVersion = node.kindVersion
        position = node.position
        onError = node.onError
        retry = node.retry
        executeOnce = node.executeOnce
        alwaysOutput = node.alwaysOutput
        disabled = node.disabled
        notes = node.notes
        credentials = node.credentials
    }

    private static func position(_ raw: JSON?) -> [Double] {
        let numbers = (raw?.array ?? []).compactMap(\.double)
        return numbers.count == 2 ? numbers : [0, 0]
    }

    /// `onError`, or the older `continueOnFail`.
    private static func onError(_ raw: JSONObject) -> WorkflowNode.OnError {
        switch raw["onError"]?.text {
        case "continueRegularOutput": .continueRegular
        case "continueErrorOutput": .continueErrorOutput
        case .some: .stop
        case nil: raw["continueOnFail"]?.boolean == true ? .continueRegular : .stop
        }
    }

    /// n8n keeps tries within 2...5 (3 by default) and the wait within 0...5,000 ms (1,000 by default), whatever is written.
    private static func retry(_ raw: JSONObject) -> WorkflowNode.Retry? {
        guard raw["retryOnFail"]?.boolean == true else { return nil }
        let tries = raw["maxTries"]?.double ?? 3
        let wait = raw["waitBetweenTries"]?.double ?? 1_000
        return WorkflowNode.Retry(attempts: Int(max(2, min(tries, 5))), waitMilliseconds: Int(max(0, min(wait, 5_000))))
    }

    /// Old exports hold the name alone in place of `{id, name}`.
    private static func credentialName(_ raw: JSON) -> String { raw.text ?? raw["name"]?.text ?? "" }
}

extension N8nNode {
    /// Writes into the node as n8n wrote it what differs from it, and nothing else: members that say the same in other words
    /// (`continueOnFail`, an explicit default) stay as they were.
    func write(into raw: inout JSONObject) {
        let before = N8nNode(raw)
        let isNew = raw["type"] == nil
        if before.type != type { raw["type"] = .string(type) }
        if before.typeVersion != typeVersion || isNew { raw["typeVersion"] = .number(typeVersion) }
        if before.position != position || isNew { raw["position"] = .array(position.map { .number($0) }) }
        if before.onError != onError { writeOnError(&raw) }
        if before.retry != retry { writeRetry(&raw) }
        if before.executeOnce != executeOnce { raw["executeOnce"] = executeOnce ? true : nil }
        if before.alwaysOutput != alwaysOutput { raw["alwaysOutputData"] = alwaysOutput ? true : nil }
        if before.disabled != disabled { raw["disabled"] = disabled ? true : nil }
        if before.notes != notes { raw["notes"] = notes.map { .string($0) } }
        if before.credentials.mapValues(\.name) != credentials.mapValues(\.name) { writeCredentials(&raw, before: before) }
    }

    private func writeOnError(_ raw: inout JSONObject) {
        raw["continueOnFail"] = nil
        switch onError {
        case .stop: raw["onError"] = nil
        case .continueRegular: raw["onError"] = "continueRegularOutput"
        case .continueErrorOutput: raw["onError"] = "continueErrorOutput"
        }
    }

    private func writeRetry(_ raw: inout JSONObject) {
        raw["retryOnFail"] = retry == nil ? nil : true
        raw["maxTries"] = retry.map { .number(Double($0.attempts)) }
        raw["waitBetweenTries"] = retry.map { .number(Double($0.waitMilliseconds)) }
    }

    /// Ids are those of the n8n that wrote them; ours mean nothing there, so that a new reference has none.
    private func writeCredentials(_ raw: inout JSONObject, before: N8nNode) {
        var written = raw["credentials"]?.object ?? [:]
        for type in before.credentials.keys where credentials[type] == nil { written[type] = nil }
        for (type, reference) in credentials.sorted(by: { $0.key < $1.key }) where before.credentials[type]?.name != reference.name {
            written[type] = ["id": nil, "name": .string(reference.name)]
        }
        raw["credentials"] = written.isEmpty ? nil : .object(written)
    }
}
