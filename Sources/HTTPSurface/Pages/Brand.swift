/// What pages are dressed in: the platform's own, or a tenant's.
package struct Brand: Sendable, Hashable {
    /// Of the product, at the head of pages and in their titles.
    package var name: String
    /// The address of the style sheet with its colours; nil for the platform's.
    package var style: String?
    /// The address of its picture, which stands in place of the platform's mark.
    package var logo: String?

    package init(name: String, style: String? = nil, logo: String? = nil) {
        self.name = name
        self.style = style
        self.logo = logo
    }

    package static let platform = Brand(name: "AIAS")

    /// Picture and name.
    var html: HTML { "\(logo.map { "<img class=\"logo\" src=\"\(href: $0)\" alt=\"\">" } ?? Console.mark)<span>\(name)</span>" }
}

/// Who is signed in, as the bar names them, and what their pages are dressed in.
package struct Visitor: Sendable, Hashable, ExpressibleByStringLiteral {
    package var name: String
    package var brand: Brand
    /// Where they go from one of their tenants to another; nil for who has no other.
    package var choice: String?

    package init(name: String, brand: Brand = .platform) {
        self.name = name
        self.brand = brand
    }

    package init(stringLiteral name: String) { self.init(name: name) }
}
