/// One page of a list, newest or first items first as the list documents, and the cursor of the next one.
package struct Page<Element: Sendable>: Sendable {
    package var data: [Element]
    /// Opaque; nil on the last page.
    package var nextCursor: String?

    package init(data: [Element], nextCursor: String?) {
        self.data = data
        self.nextCursor = nextCursor
    }
}

extension Page: Codable where Element: Codable {
    enum CodingKeys: String, CodingKey {
        case data
        case nextCursor = "next_cursor"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(data, forKey: .data)
        try container.encode(nextCursor, forKey: .nextCursor)
    }
}

/// What part of a list is asked for.
package struct PageRequest: Sendable, Hashable {
    package var cursor: String?
    /// Between 1 and `Limits.pageSizeMaximum`.
    package var limit: Int

    package init(cursor: String? = nil, limit: Int = Limits.pageSizeDefault) throws {
        guard (1...Limits.pageSizeMaximum).contains(limit) else {
            throw Refusal.invalid("limit", "out_of_range", "limit must be between 1 and \(Limits.pageSizeMaximum).")
        }
        self.cursor = cursor
        self.limit = limit
    }
}
