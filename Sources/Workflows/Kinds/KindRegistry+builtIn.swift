extension KindRegistry {
    /// All kinds that come with the program.
    package static let builtIn = KindRegistry(
        executors: [
            ManualTrigger.self, WebhookTrigger.self,
            SetNode.self, IfNode.self, NoOperation.self, RespondToWebhook.self,
        ])
}
