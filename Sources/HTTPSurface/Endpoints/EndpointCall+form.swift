internal import Kernel

/// What a page's form sends (`application/x-www-form-urlencoded`).
package struct FormFields: Sendable {
    package let pairs: [(name: String, value: String)]

    package init(pairs: [(name: String, value: String)]) { self.pairs = pairs }

    /// A form that nobody has filled in.
    package static let empty = FormFields(pairs: [])

    /// The last value of a field, without spaces around it; empty where it was not sent.
    package subscript(_ name: String) -> String {
        let text = pairs.last { $0.name == name }?.value ?? ""
        let start = text.drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }

    /// The last value as it was typed: passwords.
    package func verbatim(_ name: String) -> String { pairs.last { $0.name == name }?.value ?? "" }
}

extension EndpointCall {
    /// - Throws: `unsupportedMedia` for another content type, `malformed` for a body that is no UTF-8 or holds U+0000.
    package func form() throws -> FormFields {
        let type = head.header("Content-Type")?.prefix { $0 != ";" }.lowercased() ?? ""
        guard type.isEmpty || type == "application/x-www-form-urlencoded" else {
            throw Refusal(.unsupportedMedia, "unsupported_media_type", "This takes a form.")
        }
        guard let text = String(validating: body, as: UTF8.self) else { throw Refusal(.malformed, "malformed_form", "The form is not UTF-8.") }
        let pairs = QueryReader(text).pairs
        guard !pairs.contains(where: { $0.value.utf8.contains(0) }) else {
            throw Refusal(.malformed, "malformed_form", "The form holds the character U+0000.")
        }
        return FormFields(pairs: pairs)
    }
}
