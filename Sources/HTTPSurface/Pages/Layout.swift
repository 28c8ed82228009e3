package import Kernel

/// What every page has around its content: head, skip link, navigation, main.
package struct Layout: Sendable {
    package struct Link: Sendable {
        package var title: String
        package var href: String
        package var isCurrent: Bool

        package init(_ title: String, _ href: String, isCurrent: Bool = false) {
            self.title = title
            self.href = href
            self.isCurrent = isCurrent
        }

        var html: HTML {
            let current: HTML = isCurrent ? " aria-current=\"page\"" : ""
            return "<li><a href=\"\(href: href)\"\(current)>\(title)</a></li>"
        }
    }

    package var title: String
    package var localizer: Localizer
    /// Addresses of style sheets and of ES modules; nothing inline passes the content security policy.
    package var styles: [String]
    package var scripts: [String]
    /// Addresses of what the scripts import, so that all of it is fetched at once.
    package var modules: [String] = []
    package var navigation: [Link]
    /// Who is signed in, and the way out.
    package var who: HTML?
    /// Stands above all else.
    package var banner: HTML?
    /// Stands before the navigation.
    package var brand: HTML?
    /// The address of the browser tab's picture.
    package var icon: String?
    package var mainClass = "page"
    /// Whose page it is, where its address does not say so; see `PageTenant`.
    package var tenant: TenantID?

    package init(
        title: String, localizer: Localizer, styles: [String] = [], scripts: [String] = [], navigation: [Link] = [], who: HTML? = nil
    ) {
        self.title = title
        self.localizer = localizer
        self.styles = styles
        self.scripts = scripts
        self.navigation = navigation
        self.who = who
    }

    /// - Parameter main: stands inside `<main id="main">`.
    package func html(_ main: HTML) -> HTML {
        """
        <!doctype html>
        <html lang="\(localizer.language)" dir="\(localizer.direction)"\(place)>
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title)</title>
        \(icon.map { "<link rel=\"icon\" type=\"image/svg+xml\" href=\"\(href: $0)\">\n" as HTML })\
        \(styles.map { "<link rel=\"stylesheet\" href=\"\(href: $0)\">\n" as HTML })\
        \(modules.map { "<link rel=\"modulepreload\" href=\"\(href: $0)\">\n" as HTML })\
        \(scripts.map { "<script type=\"module\" src=\"\(href: $0)\"></script>\n" as HTML })\
        </head>
        <body>
        <a class="skip" href="#main">\(localizer("http.layout.skip"))</a>
        \(banner)\
        \(bar)\
        <main id="main" class="\(mainClass)" tabindex="-1">
        \(main)
        </main>
        </body>
        </html>

        """
    }

    package func page(_ main: HTML, status: Int = 200) -> Answer {
        let page = html(main).text
        return .text(tenant.map { PageTenant.marking(page, $0) } ?? page, status: status, contentType: "text/html; charset=utf-8")
    }

    /// For the page's scripts.
    private var place: HTML? { tenant.map { " data-tenant=\"\($0.description)\"" } }

    private var bar: HTML {
        guard !navigation.isEmpty || who != nil else { return "" }
        let links: [HTML] = navigation.map(\.html)
        let person: HTML? = who.map { "<div class=\"who\">\($0)</div>" }
        return """
            <header class="bar">\(brand)
            <nav aria-label="\(localizer("http.layout.navigation"))"><ul>\(links)</ul></nav>
            \(person)
            </header>

            """
    }
}
