/// What a page for people shows of a problem.
package struct ErrorPage: Sendable {
    package let status: Int
    package let code: String
    package let title: String
    /// In the reader's language where it is known there.
    package let detail: String
    package let head: RequestHead
    package let localizer: Localizer

    /// A plain page of our own, for programs that give none.
    package var plain: Answer {
        Layout(title: title, localizer: localizer).page(
            "<h1>\(title)</h1><p>\(detail)</p><p><code>\(head.requestID)</code></p>", status: status)
    }
}
