package import HTTPSurface

/// What is used of one limit, as a line with a bar.
package struct UsageLine {
    private let use: QuotaUse
    private let text: Localizer

    package init(_ use: QuotaUse, _ text: Localizer) {
        self.use = use
        self.text = text
    }

    package var html: HTML {
        let name = text("tenancy.limit.\(use.key.name)")
        guard let limit = use.limit else {
            return
                "<div><p class=\"line\"><strong>\(name)</strong><span>\(text("tenancy.usage.unlimited", ["used": figure(use.used)]))</span></p></div>"
        }
        let state = use.used >= limit ? "full" : use.used * 5 >= limit * 4 ? "near" : ""
        return """
            <div class="\(state)"><p class="line"><strong id="\(use.key.name)">\(name)</strong>\
            <span>\(text("tenancy.usage.of", ["used": figure(use.used), "limit": figure(limit)]))</span></p>\
            <progress aria-labelledby="\(use.key.name)" value="\(min(use.used, limit))" max="\(max(limit, 1))"></progress></div>
            """
    }

    private func figure(_ count: Int) -> String { use.key == .storageBytes ? Self.size(count) : text.figure(count) }

    /// Bytes in the largest unit that says them.
    package static func size(_ bytes: Int) -> String {
        for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes >= 1 << shift {
            let tenths = (bytes * 10) >> shift
            return tenths.isMultiple(of: 10) ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        return "\(bytes) B"
    }
}
