internal import Kernel

extension NodeKind {
    /// The credential types that a node uses under its parameters: for kinds that choose among several the chosen one, for others all
    /// that the node refers to. An expression is decided in the run.
    func credentialTypes(of node: WorkflowNode) -> [String] {
        func text(_ name: String) -> String? { rawParameter(name, of: node)?.text }
        switch kind {
        case "webhook", "form_trigger", "http_request", "graphql":
            let type: String?
            switch text("authentication") ?? "none" {
            case "none": type = nil
            case "genericCredentialType": type = text("genericAuthType")
            case "predefinedCredentialType": type = text("nodeCredentialType")
            case let way: type = HttpAuthentication.typesOfOldVersions[way] ?? WebhookGuard.credentialType(of: way)
            }
            let certificate = rawParameter("provideSslCertificates", of: node) == true ? HttpAuthentication.certificateType : nil
            return [type, certificate].compactMap { $0 }.filter { !$0.isEmpty && !$0.hasPrefix("=") }
        case "respond_to_webhook": return text("respondWith") == "jwt" ? ["jwtAuth"] : []
        case "crypto" where node.kindVersion >= 2 && ["hmac", "sign"].contains(text("action") ?? "hash"): return ["crypto"]
        default: return node.credentials.keys.sorted()
        }
    }
}
