extension KindRegistry {
    /// All kinds that come with the program.
    package static let builtIn = KindRegistry(
        executors: [
            ManualTrigger.self, WebhookTrigger.self, ScheduleTrigger.self, ErrorTrigger.self, SubworkflowTrigger.self,
            SetNode.self, SplitOut.self, Aggregate.self, SortNode.self, Limit.self, RemoveDuplicates.self, RenameKeys.self, CryptoNode.self,
            HtmlTemplate.self, CompareDatasets.self,
            IfNode.self, SwitchNode.self, FilterNode.self, MergeNode.self, LoopOverItems.self, WaitNode.self, NoOperation.self,
            StopAndError.self, ExecuteWorkflow.self,
            CodeNode.self, FunctionNode.self, FunctionItemNode.self, ItemLists.self,
            HttpRequest.self, RespondToWebhook.self,
        ], declarations: [StickyNote.kind])
}
