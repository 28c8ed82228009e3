package import Kernel

/// Which runs a list shows, and in which order.
package struct ExecutionSearch: Sendable, Hashable {
    package var workflow: WorkflowID?
    package var status: RunStatus?
    /// Started at this time or later, and before the other.
    package var from: Timestamp?
    package var until: Timestamp?
    /// A value that the run was marked with, exactly.
    package var mark: RunMark?
    package var isOldestFirst = false

    package init(workflow: WorkflowID? = nil, status: RunStatus? = nil) {
        self.workflow = workflow
        self.status = status
    }

    /// Whether anything is asked for but the order.
    package var isNarrow: Bool { workflow != nil || status != nil || from != nil || until != nil || mark != nil }
}

/// A value that a run is found by: `order` = `1234`.
package struct RunMark: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name.indexable(Limits.markNameCharacters)
        self.value = value.indexable(Limits.markValueCharacters)
    }

    /// Reads `name = value`; nil where there is no name or no equals sign.
    package init?(_ written: String) {
        guard let equals = written.firstIndex(of: "=") else { return nil }
        func trimmed(_ text: Substring) -> String {
            String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
        let name = trimmed(written[..<equals])
        guard !name.isEmpty else { return nil }
        self.init(name: name, value: trimmed(written[written.index(after: equals)...]))
    }
}

extension String {
    /// As every database keeps it in an index: PostgreSQL's texts hold no NUL, and an entry of its indexes no more than 2.7 KB, while one character
    /// may be of any number of scalars.
    func indexable(_ scalarsMaximum: Int) -> String {
        let scalars: [Unicode.Scalar] = unicodeScalars.prefix(scalarsMaximum).map { $0 == "\0" ? "\u{FFFD}" : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}

extension RunID {
    /// The lowest id of a run that started at a time or later: ids begin with the milliseconds of their making.
    static func first(at time: Timestamp) -> RunID { RunID(high: UInt64(max(0, time.microseconds / 1_000)) << 16, low: 0) }

    /// When it was made, to the millisecond.
    var moment: Timestamp { Timestamp(microseconds: Int64(high >> 16) * 1_000) }

    /// The one after it in order.
    var next: RunID { low == .max ? RunID(high: high &+ 1, low: 0) : RunID(high: high, low: low + 1) }
}
