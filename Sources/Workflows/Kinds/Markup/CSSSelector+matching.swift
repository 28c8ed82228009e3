extension CSSSelector {
    /// Pseudo-classes without arguments that look at the element alone.
    static let states: Set<String> = [
        "root", "empty", "parent", "checked", "selected", "disabled", "enabled", "header", "button", "input", "text", "checkbox", "radio", "file",
        "password", "reset", "submit", "image", "link", "any-link", "required", "optional", "scope"
    ]

    /// The matching elements, in document order.
    /// - Throws: `selector_too_slow` where the search passes its limit of work.
    func elements(in document: HtmlDocument) throws -> [Int] { try CSSSearch(document).elements(of: self) }
}
