internal import HTTPSurface
internal import Kernel

/// The tenant's variables.
struct VariablePages {
    let variables: Variables
    let context: PageContext

    static let address = "/settings/variables"

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.variablesRead), summary: "Variables") { call in try await list(call, .empty, nil) },
            .page(.post, Self.address, access: .tenant(.variablesWrite), summary: "Set a variable") { call in
                let form = try call.form()
                do {
                    _ = try await variables.set(form["name"], to: form.verbatim("value"), by: call.principal)
                    return .redirect("\(Self.address)?done=set")
                } catch let refusal as Refusal {
                    return try await list(call, form, refusal)
                }
            },
            .page(.post, "\(Self.address)/{name}/deletion", access: .tenant(.variablesWrite), summary: "Delete a variable") { call in
                try await variables.delete(try call.parameter("name"), by: call.principal)
                return .redirect("\(Self.address)?done=deleted")
            }
        ]
    }

    private func list(_ call: EndpointCall, _ form: FormFields, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let mayWrite = call.principal.may(.variablesWrite)
        let all = try await variables.list(by: call.principal)
        let columns: [(title: String, kind: String?)] = [
            (text("workflows.column.name"), nil), (text("workflows.column.value"), nil), (text("workflows.column.updated"), "optional"),
            ("", "actions")
        ]
        let table =
            all.isEmpty
            ? Console.empty(text("workflows.variables.empty"), text("workflows.variables.empty.hint"))
            : Console.table(columns, all.map { row(text, $0, mayWrite: mayWrite) })
        let fill: HTML? =
            mayWrite
            ? """
            <section class="card stack" aria-labelledby="set"><h2 id="set">\(text("workflows.variables.set"))</h2>
            <form method="post" action="\(Self.address)" class="form">
            \(Console.field("name", label: text("workflows.column.name"), value: form["name"], hint: text("workflows.variables.name.hint"),
                fault: refusal?.message(for: "name")))
            \(Console.area("value", label: text("workflows.column.value"), value: form.verbatim("value"), rows: 2,
                fault: refusal?.message(for: "value"), isRequired: false))
            <p class="buttons"><button class="button primary">\(text("workflows.variables.submit"))</button></p></form></section>
            """ : nil
        return try await context.settingsPage(
            call, title: text("workflows.settings.variables"), current: Self.address, status: refusal?.kind.status ?? 200,
            """
            \(Console.workflowDone(call, ["set", "deleted"]))\(Console.notice(refusal?.message(besides: ["name", "value"])))
            <p class="lead">\(text("workflows.variables.lead"))</p><section class="card">\(table)</section>\(fill)
            """)
    }

    private func row(_ text: Localizer, _ variable: Variable, mayWrite: Bool) -> HTML {
        let delete: HTML? =
            mayWrite
            ? Console.confirmed(
                text, id: "delete-\(variable.name)", action: "\(Self.address)/\(variable.name)/deletion", label: text("workflows.delete"),
                question: text("workflows.variables.delete.question", ["name": variable.name])) : nil
        return """
            <tr><td class="name"><code>\(variable.name)</code></td><td><code>\(variable.value)</code></td>
            <td class="time optional">\(Console.time(variable.updatedAt))</td><td class="actions">\(delete)</td></tr>
            """
    }
}
