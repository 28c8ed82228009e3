internal import Kernel
internal import Synchronization

/// Parsed templates by their text, for all tenants: a template holds no data. Full, it is emptied and fills again.
final class TemplateCache: Sendable {
    private let templates = Mutex<[String: Template]>([:])

    func template(_ text: String) -> Template {
        if let known = templates.withLock({ $0[text] }) { return known }
        let parsed = Template(text)
        templates.withLock { templates in
            if templates.count >= Limits.expressionTemplates { templates.removeAll(keepingCapacity: true) }
            templates[text] = parsed
        }
        return parsed
    }
}
