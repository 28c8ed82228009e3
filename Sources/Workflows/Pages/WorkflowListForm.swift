internal import HTTPSurface
internal import Kernel

/// What the list of workflows is asked for, as its address says it: `q`, `folder`, `tag`, `state`, `order`.
struct WorkflowListForm {
    let call: EndpointCall

    init(_ call: EndpointCall) { self.call = call }

    private func typed(_ name: String) -> String { call.parameter(ofQuery: name) }

    var search: WorkflowSearch {
        WorkflowSearch(
            words: typed("q"), place: .init(typed("folder")), tag: LabelID(typed("tag")), state: .init(rawValue: typed("state")) ?? .active,
            order: .init(rawValue: typed("order")) ?? .newest)
    }

    func address(_ base: String) -> String {
        let pairs = ["q", "folder", "tag", "state", "order"].compactMap { name -> String? in
            typed(name).isEmpty ? nil : "\(name)=\(Percent.encode(typed(name)))"
        }
        return pairs.isEmpty ? base : "\(base)?\(pairs.joined(separator: "&"))"
    }

    func html(_ base: String, _ arrangement: Arrangement) -> HTML {
        let text = call.localizer
        let any = (value: "", title: text("workflows.any"))
        let folders = [any, (value: "none", title: text("workflows.folder.none"))] + arrangement.sortedFolders.map { ($0.id.description, $0.path) }
        let tags = [any] + arrangement.sortedTags.map { (value: $0.id.description, title: $0.name) }
        let folder: HTML? =
            arrangement.folders.isEmpty
            ? nil : Console.choice("folder", label: text("workflows.folder"), options: folders, chosen: typed("folder"))
        let tag: HTML? =
            arrangement.tags.isEmpty ? nil : Console.choice("tag", label: text("workflows.tag"), options: tags, chosen: typed("tag"))
        let states = WorkflowSearch.State.allCases.map { (value: $0.rawValue, title: text("workflows.state.\($0.rawValue)")) }
        let orders = WorkflowSearch.Order.allCases.map { (value: $0.rawValue, title: text("workflows.order.\($0.rawValue)")) }
        return """
            <form method="get" action="\(base)" class="row-form search" role="search">
            \(Console.field("q", label: text("workflows.column.name"), type: "search", value: typed("q"), isRequired: false))\(folder)\(tag)
            \(Console.choice("state", label: text("workflows.column.status"), options: states, chosen: search.state.rawValue))
            \(Console.choice("order", label: text("workflows.executions.order"), options: orders, chosen: search.order.rawValue))
            <button class="button">\(text("workflows.executions.search"))</button></form>
            """
    }
}

extension Label {
    var badge: HTML { "<span class=\"tag \(colour.rawValue)\">\(name)</span>" }
}
