internal import Foundation
internal import HTTPSurface
internal import Kernel

/// What the list of executions is asked for, as its address says it: `status`, `workflow`, `find` (an id, or `name = value`), `from` and
/// `until` (days of the tenant's time zone, both included), `order`.
struct ExecutionQueryForm {
    let call: EndpointCall
    let timeZone: TimeZone

    init(_ call: EndpointCall, timeZone: String) {
        self.call = call
        self.timeZone = TimeZone(identifier: timeZone) ?? .gmt
    }

    private func typed(_ name: String) -> String { call.parameter(ofQuery: name) }

    /// The run that is looked for by its id.
    var run: RunID? { RunID(typed("find").filter { !$0.isWhitespace }) }

    /// What of it cannot be understood.
    var fault: String? {
        let find = typed("find")
        return find.allSatisfy(\.isWhitespace) || run != nil || RunMark(find) != nil ? nil : call.localizer("workflows.executions.find.fault")
    }

    var search: ExecutionSearch {
        var wanted = ExecutionSearch(workflow: WorkflowID(typed("workflow")), status: RunStatus(rawValue: typed("status")))
        wanted.from = Self.day(typed("from"), adding: 0, in: timeZone)
        wanted.until = Self.day(typed("until"), adding: 1, in: timeZone)
        wanted.mark = RunMark(typed("find"))
        wanted.isOldestFirst = typed("order") == "oldest"
        return wanted
    }

    /// The address of the list with one parameter changed.
    func address(_ base: String, with name: String, _ value: String?) -> String {
        let names = ["status", "workflow", "find", "from", "until", "order"]
        let pairs = names.compactMap { one -> String? in
            let value = one == name ? value ?? "" : typed(one)
            return value.isEmpty ? nil : "\(one)=\(Percent.encode(value))"
        }
        return pairs.isEmpty ? base : "\(base)?\(pairs.joined(separator: "&"))"
    }

    /// - Parameter names: the workflows to choose from; none where the reader may not see them.
    func html(_ base: String, workflows names: [(id: WorkflowID, name: String)]) -> HTML {
        let text = call.localizer
        let workflow: HTML? =
            names.isEmpty
            ? nil
            : Console.choice(
                "workflow", label: text("workflows.column.workflow"),
                options: [("", text("workflows.executions.all"))] + names.map { ($0.id.description, $0.name) }, chosen: typed("workflow"))
        let status: HTML? = typed("status").isEmpty ? nil : "<input type=\"hidden\" name=\"status\" value=\"\(typed("status"))\">"
        let orders = ["newest", "oldest"].map { (value: $0, title: text("workflows.executions.order.\($0)")) }
        return """
            <form method="get" action="\(base)" class="row-form search" role="search">\(status)
            \(Console.field("find", label: text("workflows.executions.find"), type: "search", value: typed("find"), hint: text("workflows.executions.find.hint"),
                fault: fault, isRequired: false))
            \(workflow)\(Console.field("from", label: text("workflows.executions.from"), type: "date", value: typed("from"), isRequired: false))
            \(Console.field("until", label: text("workflows.executions.until"), type: "date", value: typed("until"), isRequired: false))
            \(Console.choice("order", label: text("workflows.executions.order"), options: orders, chosen: typed("order")))
            <button class="button">\(text("workflows.executions.search"))</button></form>
            """
    }

    /// When a day begins, `2026-03-10`; nil for what is none. Foundation's calendar adds up numbers of any size without a look at their sum.
    static func day(_ written: String, adding days: Int, in timeZone: TimeZone) -> Timestamp? {
        let parts = written.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3, (1...9_999).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2]) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let start = calendar.date(from: DateComponents(year: parts[0], month: parts[1], day: parts[2]))
        guard let date = start.flatMap({ calendar.date(byAdding: .day, value: days, to: $0) }) else { return nil }
        return Timestamp(seconds: Int64(date.timeIntervalSince1970))
    }
}
