package import HTTPSurface
package import Kernel
package import Persistence

/// Shows published forms and the pages of waiting runs to visitors, and takes what they answer.
package struct Forms: Sendable {
    let webhooks: Webhooks
    let links: AnswerLinks
    let blobs: any BlobStore
    let console: Console
    /// What visitors see a page dressed in.
    let brand: @Sendable (TenantID) async throws -> Brand

    /// How often, and how long between, a page looks whether its run has got on before it lets the browser ask again.
    static let looks = 20
    static let lookPause: Duration = .milliseconds(100)

    package init(
        webhooks: Webhooks, links: AnswerLinks, blobs: any BlobStore, console: Console, brand: @escaping @Sendable (TenantID) async throws -> Brand
    ) {
        self.webhooks = webhooks
        self.links = links
        self.blobs = blobs
        self.console = console
        self.brand = brand
    }

    func page(_ call: EndpointCall, _ tenant: TenantID) async throws -> FormPage {
        FormPage(console: console, text: call.localizer, brand: try await brand(tenant))
    }

    // MARK: Forms that start a workflow

    func show(_ call: EndpointCall, tenant: TenantID, path: String) async throws -> Answer {
        let target = try await target(call, tenant, path)
        if let closed = try await closed(call, target, tenant) { return closed }
        return try await page(call, tenant).form(FormDefinition(trigger: target.node), query: call.queryPairs)
    }

    func submit(_ call: EndpointCall, tenant: TenantID, path: String) async throws -> Answer {
        let target = try await target(call, tenant, path)
        if let closed = try await closed(call, target, tenant) { return closed }
        let answer = FormAnswer(definition: FormDefinition(trigger: target.node), form: try SubmittedForm(call))
        let faults = answer.faults
        guard faults.isEmpty else {
            return try await page(call, tenant).form(answer.definition, submitted: answer.form, faults: faults, query: call.queryPairs)
        }
        let run: RunID = webhooks.engine.ids.next()
        let zone = try await webhooks.timeZone(tenant)
        let usesZone = target.node.config["options"]?["useWorkflowTimezone"]?.boolean ?? (target.node.kindVersion > 2)
        let item = try await answer.item(
            at: webhooks.clock.now(), zone: usesZone ? target.compiled.document.settings.timeZone ?? zone : "UTC", query: call.queryPairs,
            store: { try await webhooks.store($0, $1, $2, FileHolder(tenant: tenant, run: run)) })
        let handle = try await webhooks.engine.start(
            RunStart(
                tenant: tenant, workflow: target.workflow, version: target.version, document: nil, compiled: target.compiled,
                trigger: target.node.name,
                items: ItemList([item]), mode: "webhook", timeZone: zone, id: run))
        if target.definition.responseMode == .responseNode, let given = await handle.answer() {
            var shown = try await webhooks.render(given, tenant: tenant, run: handle.run)
            // A workflow's own HTML gets an origin of its own, as a webhook's does.
            shown.headers.append(("Content-Security-Policy", "sandbox allow-forms allow-popups"))
            return shown
        }
        return .redirect(Self.local(try await links.addresses(of: handle.run, place: nil, tenant: tenant).page))
    }

    /// On the host that the form is on: a page may send people on to its own host alone.
    private static func local(_ address: String) -> String {
        "/" + address.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).dropFirst(3).joined(separator: "/")
    }

    private func target(_ call: EndpointCall, _ tenant: TenantID, _ path: String) async throws -> WebhookTargets.Target {
        let method = WebhookRoute.form
        let found = try await webhooks.workflows.targets.find(tenant, method, path) { try await webhooks.target(method, path, tenant) }
        guard let found else { throw Refusal(.missing, "no_form", "No published form is here.") }
        return found
    }

    /// - Returns: the answer for those who may not come in; nil for everyone else.
    private func closed(_ call: EndpointCall, _ target: WebhookTargets.Target, _ tenant: TenantID) async throws -> Answer? {
        switch try await webhooks.verdict(on: call, target.definition, of: target.node, tenant) {
        case .open: return nil
        case .challenge(let challenge):
            var answer = try await page(call, tenant).done(
                title: call.localizer("workflows.form.closed"), message: call.localizer("workflows.form.closed.hint"), status: 401)
            answer.headers.append(("WWW-Authenticate", challenge))
            return answer
        case .refused:
            return try await page(call, tenant).done(
                title: call.localizer("workflows.form.closed"), message: call.localizer("workflows.form.closed.hint"), status: 403)
        }
    }

    // MARK: Pages of runs

    func look(_ call: EndpointCall, tenant: TenantID, path: String) async throws -> Answer {
        let (id, place, rest) = try await links.verified(path, at: AnswerLinks.pages, tenant: tenant)
        var known = try await load(id, tenant)
        if rest == "file" { return try await download(known, tenant) }
        // A run that is at work is given a moment to get to its next page.
        for _ in 0..<Self.looks where place == AnswerLinks.whole && !known.run.status.isOver && known.questions.isEmpty {
            if Self.hasEnded(known) { break }
            try await Task.sleep(for: Self.lookPause)
            known = try await load(id, tenant)
        }
        let page = try await page(call, tenant)
        if let question = Self.question(known.machine, place: place) { return ask(question, page) }
        guard place == AnswerLinks.whole else {
            return page.done(title: call.localizer("workflows.form.answered"), message: call.localizer("workflows.form.answered.hint"))
        }
        return try await end(call, known, page)
    }

    func take(_ call: EndpointCall, tenant: TenantID, path: String) async throws -> Answer {
        let (id, place, _) = try await links.verified(path, at: AnswerLinks.pages, tenant: tenant)
        let known = try await load(id, tenant)
        let page = try await page(call, tenant)
        guard let question = Self.question(known.machine, place: place) else { return .redirect(call.head.path) }
        let form = try SubmittedForm(call)
        let item: Item
        switch question.kind {
        case "approval":
            let word = form.all("approved").last ?? ""
            guard word == "true" || word == "false" else { return ask(question, page) }
            item = Item(json: ["data": ["approved": .bool(word == "true")]])
        default:
            let answer = FormAnswer(definition: FormDefinition(question.page), form: form)
            let faults = answer.faults
            guard faults.isEmpty else { return page.form(answer.definition, submitted: form, faults: faults) }
            let zone = try await webhooks.timeZone(tenant)
            var made = try await answer.item(
                at: webhooks.clock.now(), zone: known.machine.workflow.document.settings.timeZone ?? zone, query: [],
                store: { try await webhooks.store($0, $1, $2, FileHolder(tenant: tenant, run: id)) })
            if question.page["wrap"]?.boolean == true { made = Self.wrapped(made, question.page) }
            item = made
        }
        try await give(item, to: question, of: id, tenant)
        if place == AnswerLinks.whole { return .redirect(call.head.path) }
        let said = question.page["thanks"]?.text ?? call.localizer("workflows.form.recorded")
        return page.done(title: call.localizer("workflows.form.done"), message: said)
    }

    private func load(_ id: RunID, _ tenant: TenantID) async throws -> WaitingRun {
        let found = try await WaitingRun.load(
            id, tenant: tenant, database: webhooks.database, blobs: blobs, kinds: webhooks.workflows.kinds)
        guard let found else { throw Refusal.missing("page") }
        return found
    }

    /// The page of the step that an address names; for the whole run its first page.
    static func question(_ machine: RunMachine, place: String) -> WaitingRun.Question? {
        machine.questions.first { question in
            guard question.kind == "form" || question.kind == "approval" else { return false }
            if place == AnswerLinks.whole { return question.page["own"]?.boolean != true }
            return machine.place(of: question) == place
        }
    }

    /// A free text is `{data: {text}}`, a form of one's own `{data: {…}}`.
    private static func wrapped(_ item: Item, _ page: JSON) -> Item {
        var members = item.json
        members["submittedAt"] = nil
        members["formMode"] = nil
        return Item(json: ["data": .object(members)], binary: item.binary)
    }

    private func give(_ item: Item, to question: WaitingRun.Question, of id: RunID, _ tenant: TenantID) async throws {
        let step = question.step
        let items = ItemList([item])
        var isTaken = false
        for _ in 0..<Self.looks {
            // What was answered is told as such once it is saved.
            if isTaken {
                guard try await load(id, tenant).questions.contains(where: { $0.step == step }) else { return }
                try await Task.sleep(for: Self.lookPause)
                continue
            }
            let handle = try await webhooks.engine.answer(id, tenant: tenant, with: items) { machine in
                machine.questions.contains { $0.step == step } ? step : nil
            }
            if handle != nil {
                isTaken = true
                continue
            }
            // Other branches of the run are at work, or the page was answered by somebody else meanwhile.
            guard try await load(id, tenant).questions.contains(where: { $0.step == step }) else { return }
            try await Task.sleep(for: Self.lookPause)
        }
        guard !isTaken else { return }
        throw Refusal(.unavailable, "run_busy", "The run is at work; try again in a moment.", retryAfter: .seconds(2))
    }

    private func ask(_ question: WaitingRun.Question, _ page: FormPage) -> Answer {
        guard question.kind == "approval" else { return page.form(FormDefinition(question.page)) }
        let buttons = (question.page["buttons"]?.array ?? []).map { button in
            (value: button["value"]?.text ?? "", label: button["label"]?.text ?? "", isMain: button["value"] == "true")
        }
        return page.question(question.page["message"]?.text ?? "", title: question.page["title"]?.text ?? "", buttons: buttons)
    }

    // MARK: The end

    /// Whether visitors are told that all is done while the run goes on: nothing further is asked, and nothing is waited for.
    private static func hasEnded(_ known: WaitingRun) -> Bool {
        let workflow = known.machine.workflow
        guard let trigger = workflow.document.nodes.first(where: { $0.name == known.run.trigger }) else { return true }
        let asksMore = workflow.document.nodes.contains { node in
            !node.disabled && (node.kind == "form" || (node.kind == "wait" && node.config["resume"] == "form"))
        }
        return !asksMore && (trigger.config["responseMode"]?.text ?? "onReceived") == "onReceived"
    }

    private func end(_ call: EndpointCall, _ known: WaitingRun, _ page: FormPage) async throws -> Answer {
        let text = call.localizer
        if let (completion, _) = known.completion {
            switch completion["respondWith"]?.text ?? "text" {
            case "redirect": return page.leading(call, to: completion["url"]?.text ?? "")
            case "showText": return page.done(title: nil, message: completion["text"]?.text ?? "")
            case "returnBinary":
                return page.done(
                    title: completion["title"]?.text, message: completion["message"]?.text ?? "", download: "\(call.head.path)/file")
            default: return page.done(title: completion["title"]?.text, message: completion["message"]?.text ?? "")
            }
        }
        switch known.run.status {
        case .failed, .cancelled, .uncertain:
            return page.done(title: text("workflows.form.failed"), message: text("workflows.form.failed.hint"), status: 500)
        case .succeeded: break
        default: if !Self.hasEnded(known) { return page.working(call) }
        }
        let trigger = known.machine.workflow.document.nodes.first { $0.name == known.run.trigger }
        let options = trigger?.config["options"]
        let values = options?["respondWithOptions"]?["values"]
        if values?["respondWith"] == "redirect", let address = values?["redirectUrl"] { return page.leading(call, to: FormField.plain(address)) }
        let said = (values?["formSubmittedText"] ?? options?["formSubmittedText"]).map(FormField.plain)
        return page.done(message: said ?? text("workflows.form.recorded"))
    }

    private func download(_ known: WaitingRun, _ tenant: TenantID) async throws -> Answer {
        guard let (page, step) = known.completion, let name = page["file"]?.text, let file = known.file(name, of: step) else {
            throw Refusal.missing("file")
        }
        let shown = (file.fileName ?? "file").filter { $0.isASCII && $0 != "\"" && $0 != "\\" && !$0.isNewline }
        return Answer(
            contentType: file.mimeType,
            headers: [("Content-Disposition", "attachment; filename=\"\(shown)\""), ("Content-Security-Policy", "sandbox")],
            body: try await webhooks.body(of: file, tenant))
    }

    // MARK: Calls of waiting runs

    /// A wait node that goes on when its address is called.
    func call(_ call: EndpointCall, tenant: TenantID, path: String) async throws -> Answer {
        let (id, _, suffix) = try await links.verified(path, at: AnswerLinks.calls, tenant: tenant)
        let known = try await load(id, tenant)
        let waiting = known.questions.filter { $0.kind == "call" && ($0.page["suffix"]?.text ?? "") == suffix }
        guard let question = waiting.first, let kind = webhooks.workflows.kinds.kind(question.node.kind) else {
            throw Refusal(.missing, "not_waiting", "The run does not wait for a call here.")
        }
        let definition = WebhookDefinition(question.node, kind: kind)
        guard definition.methods.contains(call.head.method) else {
            let methods = definition.methods.joined(separator: ", ")
            throw Refusal(.methodNotAllowed, "method_not_allowed", "This takes \(methods), not \(call.head.method).", arguments: ["allow": methods])
        }
        let items: ItemList
        switch try await webhooks.verdict(on: call, definition, of: question.node, tenant) {
        case .open(_, let header):
            let read = WebhookItem(call: call, path: path, parameters: [:], hiddenHeader: header, definition: definition)
            items = try await read.list(claims: nil) { [webhooks] in
                try await webhooks.store($0, $1, $2, FileHolder(tenant: tenant, run: id))
            }
        case .challenge(let challenge): return .webhookChallenge(challenge)
        case .refused(let reason): throw Refusal(.forbidden, "webhook_forbidden", reason)
        }
        let step = question.step
        let handle = try await webhooks.engine.answer(id, tenant: tenant, with: items) { machine in
            machine.questions.contains { $0.step == step } ? step : nil
        }
        guard let handle else { throw Refusal(.unavailable, "run_busy", "The run is at work; try again in a moment.", retryAfter: .seconds(2)) }
        return try await webhooks.render(try await webhooks.answer(of: handle, definition), tenant: tenant, run: id)
    }
}
