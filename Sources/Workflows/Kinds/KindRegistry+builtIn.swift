extension KindRegistry {
    /// All kinds that come with the program.
    package static let builtIn = KindRegistry(
        executors: [
            ManualTrigger.self, WebhookTrigger.self, ScheduleTrigger.self, ErrorTrigger.self, SubworkflowTrigger.self,
            FormTrigger.self,
            SetNode.self, SplitOut.self, Aggregate.self, SortNode.self, Limit.self, RemoveDuplicates.self, RenameKeys.self, CryptoNode.self,
            HtmlNode.self, CompareDatasets.self, DateTimeNode.self, XMLNode.self, MarkdownNode.self, Summarize.self, ExecutionData.self,
            DebugNode.self,
            IfNode.self, SwitchNode.self, FilterNode.self, MergeNode.self, LoopOverItems.self, WaitNode.self, FormNode.self, NoOperation.self,
            StopAndError.self, ExecuteWorkflow.self,
            CodeNode.self, FunctionNode.self, FunctionItemNode.self, ItemLists.self,
            HttpRequest.self, RespondToWebhook.self,
            ConvertToFile.self, ExtractFromFile.self, SpreadsheetFile.self, ReadPDF.self, MoveBinaryData.self, Compression.self,
            EditImage.self, QRCodeNode.self, ReadWriteFile.self, ReadBinaryFile.self, ReadBinaryFiles.self, WriteBinaryFile.self,
            EmailSend.self, GraphQLNode.self, N8nApiNode.self, PostgresNode.self, RedisNode.self, S3Node.self,
            FeedRead.self, FeedTrigger.self, EventTrigger.self, MailTrigger.self, LocalFileTrigger.self, DataTableNode.self
        ], declarations: [StickyNote.kind])
}
