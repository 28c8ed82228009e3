package import Kernel

/// The parts that forms are made of.
extension Console {
    /// One field of a form: label, input, hint and fault, tied together for screen readers.
    package static func field(
        _ name: String, label: String, type: String = "text", value: String = "", autocomplete: String = "off", hint: String? = nil,
        fault: String? = nil, isRequired: Bool = true
    ) -> HTML {
        wrapped(
            name, label, hint, fault,
            """
            <input id="\(name)" name="\(name)" type="\(type)" value="\(value)" autocomplete="\(autocomplete)"\("required", if: isRequired)\
            \(described(name, hint, fault))>
            """)
    }

    /// A field of several lines.
    package static func area(
        _ name: String, label: String, value: String = "", rows: Int = 4, hint: String? = nil, fault: String? = nil, isRequired: Bool = true
    ) -> HTML {
        wrapped(
            name, label, hint, fault,
            """
            <textarea id="\(name)" name="\(name)" rows="\(rows)" spellcheck="false" autocomplete="off"\("required", if: isRequired)\
            \(described(name, hint, fault))>
            \(value)</textarea>
            """)
    }

    /// A choice of one among several.
    package static func choice(
        _ name: String, label: String, options: [(value: String, title: String)], chosen: String, hint: String? = nil, fault: String? = nil
    ) -> HTML {
        let list: [HTML] = options.map { "<option value=\"\($0.value)\"\("selected", if: $0.value == chosen)>\($0.title)</option>" }
        return wrapped(name, label, hint, fault, "<select id=\"\(name)\" name=\"\(name)\"\(described(name, hint, fault))>\(list)</select>")
    }

    /// A box to tick, with its label behind it.
    package static func tick(_ name: String, value: String, label: String, hint: String? = nil, isTicked: Bool = false) -> HTML {
        let note: HTML? = hint.map { "<span class=\"hint\">\($0)</span>" }
        return """
            <label class="tick"><input type="checkbox" name="\(name)" value="\(value)"\("checked", if: isTicked)>\
            <span>\(label)\(note)</span></label>
            """
    }

    /// What went wrong, above a form.
    package static func notice(_ text: String?, isBad: Bool = true) -> HTML? {
        text.map { "<p class=\"notice \(isBad ? "bad" : "good")\" role=\"\(isBad ? "alert" : "status")\">\($0)</p>" }
    }

    /// A button that asks once more before it posts; without a mouse and without scripts too.
    /// - Parameters:
    ///   - id: unique on the page.
    ///   - keep: the label of the button that leaves all as it is; the usual one where left out.
    package static func confirmed(
        _ text: Localizer, id: String, action: String, label: String, question: String, keep: String? = nil, fields: HTML = .empty,
        isSmall: Bool = true
    ) -> HTML {
        """
        <button class="button\(isSmall ? " small" : "")" type="button" popovertarget="\(id)">\(label)</button>\
        <div class="confirm" id="\(id)" popover role="dialog" aria-labelledby="\(id)-question"><p id="\(id)-question">\(question)</p>\
        <form method="post" action="\(href: action)">\(fields)<button class="button danger">\(label)</button>\
        <button class="button" type="button" popovertarget="\(id)" popovertargetaction="hide" autofocus>\(keep ?? text("http.console.keep"))</button></form></div>
        """
    }

    /// A text with a button that copies it.
    package static func copyable(_ text: Localizer, id: String, _ value: String) -> HTML {
        """
        <span class="copyable"><code id="\(id)" tabindex="0">\(value)</code><copy-button data-from="\(id)" data-done="\(text("http.console.copied"))" hidden>\
        <button class="button small" type="button">\(text("http.console.copy"))</button></copy-button></span>
        """
    }

    private static func wrapped(_ name: String, _ label: String, _ hint: String?, _ fault: String?, _ control: HTML) -> HTML {
        let hintHTML: HTML? = hint.map { "<span class=\"hint\" id=\"\(name)-hint\">\($0)</span>" }
        let faultHTML: HTML? = fault.map { "<span class=\"fault\" id=\"\(name)-fault\" role=\"alert\">\($0)</span>" }
        return "<div class=\"field\"><label for=\"\(name)\">\(label)</label>\(control)\(hintHTML)\(faultHTML)</div>"
    }

    private static func described(_ name: String, _ hint: String?, _ fault: String?) -> HTML {
        let ids = [hint.map { _ in "\(name)-hint" }, fault.map { _ in "\(name)-fault" }].compactMap { $0 }.joined(separator: " ")
        let description: HTML? = ids.isEmpty ? nil : " aria-describedby=\"\(ids)\""
        // The first field with a fault gets the focus; a browser honours the first of several.
        let invalid: HTML? = fault.map { _ in " aria-invalid=\"true\" autofocus" }
        return "\(description)\(invalid)"
    }
}

extension Refusal {
    /// The message for one field of a form.
    package func message(for field: String) -> String? { faults.first { $0.field == field }?.message }

    /// What no field of the form shows: for the notice above it.
    package func message(besides fields: some Collection<String>) -> String? {
        if faults.contains(where: { fields.contains($0.field) }) { return nil }
        return ([message] + faults.prefix(Self.faultsShown).map(\.message).filter { $0 != message }).joined(separator: " ")
    }

    private static let faultsShown = 5
}
