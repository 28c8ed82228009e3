package import Kernel

extension Console {
    /// Where the palette's results come from.
    package static let searchAddress = "/v1/console/search"
    /// Who has this may search the console.
    package static let searchPermission: Permission = "tenant.read"

    /// The search over everything in the console: a button in the bar, and a dialog that it or Ctrl-K opens. Without scripts it is not shown.
    func palette(_ call: EndpointCall, opensByKey: Bool) -> HTML? {
        guard call.principal.tenant != nil, call.principal.may(Self.searchPermission) else { return nil }
        let text = call.localizer
        return """
            <command-palette data-source="\(href: Self.searchAddress)"\("data-keyless", if: !opensByKey)>\
            <button class="button small opener" type="button" aria-haspopup="dialog">\
            <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round">\
            <circle cx="6" cy="6" r="4.2"/><path d="m9.200 9.200 3.300 3.300"/></svg>\(text("http.palette.open"))<kbd>Ctrl K</kbd></button>\
            <dialog class="palette" aria-label="\(text("http.palette.label"))"><input type="search" role="combobox" aria-expanded="true" \
            aria-controls="palette-results" aria-autocomplete="list" autocomplete="off" spellcheck="false" aria-label="\(text("http.palette.label"))" \
            placeholder="\(text("http.palette.placeholder"))" maxlength="100"><ul id="palette-results" role="listbox" aria-label="\(text("http.palette.results"))"></ul>\
            <p class="state" role="status" data-none="\(text("http.palette.none"))" data-failed="\(text("http.palette.failed"))"></p>\
            <p class="keys" aria-hidden="true">\(text("http.palette.keys"))</p></dialog></command-palette>
            """
    }
}
