internal import Kernel

/// What is wrong with a list of endpoints, for the tests of whoever puts one together; empty where nothing is.
package enum EndpointAudit {
    /// - Parameter permissions: those that modules declare; a permission nobody declares can be granted to nobody.
    package static func faults(in endpoints: [Endpoint], permissions: [PermissionDeclaration]) -> [String] {
        var faults: [String] = []
        var seen: [String: String] = [:]
        let declared = Set(permissions.map(\.permission))
        for endpoint in endpoints {
            let name = "\(endpoint.method.rawValue) \(endpoint.path)"
            func fault(_ text: String) { faults.append("\(name): \(text)") }
            if endpoint.summary.isEmpty || endpoint.summary.hasSuffix(".") { fault("needs a summary, without a full stop") }
            if endpoint.tag.isEmpty { fault("needs a tag") }
            switch endpoint.access {
            case .public(let reason) where reason.isEmpty: fault("is public without a reason")
            case .tenant(let permission) where !declared.contains(permission): fault("needs \(permission), which no module declares")
            case .platform(let permission) where !declared.contains(permission): fault("needs \(permission), which no module declares")
            default: break
            }
            if Set(endpoint.path.parameters).count != endpoint.path.parameters.count { fault("names a path parameter twice") }
            if endpoint.kind == .json, !endpoint.path.description.hasPrefix("/v1/") { fault("is JSON outside /v1/") }
            if endpoint.isDocumented, let other = seen.updateValue(name, forKey: endpoint.operationID) { fault("has the operation id of \(other)") }
            if endpoint.kind == .json, endpoint.responses.isEmpty { fault("declares no answer") }
            for field in endpoint.query?.fields ?? [] where field.name == "cursor" || field.name == "limit" { fault("declares \(field.name) itself") }
        }
        return faults
    }
}
