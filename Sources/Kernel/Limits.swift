/// Limits that more than one module must agree on. A module's own limits stand in its own `Limits` extension.
package enum Limits {
    /// The deepest nesting of a JSON value that is read.
    package static let jsonDepth = 256
    /// Rows of a page where the caller names none, and the most it may ask for.
    package static let pageSizeDefault = 50
    package static let pageSizeMaximum = 200
}
