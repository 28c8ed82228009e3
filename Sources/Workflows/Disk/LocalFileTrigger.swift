internal import Kernel

/// Starts when something changes on the tenant's disk. The change itself writes what starts the run; started by hand it gives the newest file.
struct LocalFileTrigger: NodeExecutor {
    static let kind = "local_file_trigger"

    static var kinds: [NodeKind] {
        let folder: Parameter.ShowWhen = ["triggerOn": ["folder"]]
        return [
            NodeKind(
                kind: kind, category: .trigger, title: "Local file trigger", summary: "Starts when a file of the tenant's disk changes.",
                icon: "file",
                parameters: [
                    Parameter(
                        "triggerOn", .options, "Trigger on", default: "", required: true,
                        options: [.init("file", "Changes of a file"), .init("folder", "Changes in a folder")]),
                    Parameter(
                        "path", .string, "File", help: "Such as /data/invoices/1.pdf.", default: "", required: true, showWhen: ["triggerOn": ["file"]]
                    ),
                    Parameter(
                        "path", .string, "Folder", help: "Such as /data/invoices; / is the whole disk.", default: "", required: true, showWhen: folder
                    ),
                    Parameter(
                        "events", .list, "Watch for", default: .init([]), required: true,
                        options: [
                            .init("add", "File added"), .init("change", "File changed"), .init("unlink", "File deleted"),
                            .init("addDir", "Folder added"), .init("unlinkDir", "Folder deleted")
                        ], showWhen: folder),
                    Parameter(
                        "options", .collection, "Options", default: .init([:]),
                        fields: [
                            // A tenant's disk holds no links.
                            Parameter("followSymlinks", .boolean, "Include linked files", help: "Without effect here.", default: true),
                            Parameter("ignored", .string, "Ignore", help: "A pattern of whole paths, such as **/*.txt.", default: ""),
                            Parameter("depth", .number, "Folders within", help: "0 is the folder alone, -1 any number.", default: -1)
                        ])
                ], inputs: .fixed([]), effect: .repeatable, n8nTypes: ["n8n-nodes-base.localFileTrigger"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if step.mode != "manual" || step.items.contains(where: { !$0.json.isEmpty }) { return .items([step.startItems]) }
        guard let disk = step.services.facilities.disk else { throw StepFailure.noDisk }
        let watch = try DiskWatch(step.node, workflow: WorkflowID(high: 0, low: 0))
        guard let file = try await disk.newest(watch, tenant: step.tenant) else { return .items([[]]) }
        let event: DiskWatch.Event = watch.isFolder ? .add : .change
        return .items([[Item(json: ["event": .string(event.rawValue), "path": .string(file.path.shown)])]])
    }
}

extension StepFailure {
    static var noDisk: StepFailure { StepFailure("no_disk", "Without a server there is no tenant's disk.", isRetryable: false) }
}
