package import Kernel

/// One unit of data between nodes: n8n's `{json, binary?, pairedItem?}`.
package struct Item: Sendable, Hashable {
    package var json: JSONObject
    /// Attachments by property name; the bytes lie in the payload store.
    package var binary: [String: BinaryReference]
    /// Which input items it was made from; nil where the lineage is unknown.
    package var pairedItem: [PairedItem]?
    /// Set where the node continued after this item's failure.
    package var error: JSON?

    package init(json: JSONObject, binary: [String: BinaryReference] = [:], pairedItem: [PairedItem]? = nil, error: JSON? = nil) {
        self.json = json
        self.binary = binary
        self.pairedItem = pairedItem
        self.error = error
    }
}

/// The place of an ancestor: item `item` of input `input` of the node that made this one.
package struct PairedItem: Sendable, Hashable {
    package var item: Int
    package var input: Int
    /// The run of the same node whose input is meant, where it is not the run that gave this item out: a loop gives out items
    /// that it took in its first run.
    package var run: Int?
    package init(item: Int, input: Int = 0, run: Int? = nil) {
        self.item = item
        self.input = input
        self.run = run
    }
}

/// A file attached to an item.
package struct BinaryReference: Sendable, Hashable {
    /// Key in the tenant's payload store, or `data:` with base64 where it came inline.
    package var id: String
    package var mimeType: String
    package var fileName: String?
    package var fileExtension: String?
    package var byteCount: Int
    package init(id: String, mimeType: String, fileName: String? = nil, fileExtension: String? = nil, byteCount: Int) {
        self.id = id
        self.mimeType = mimeType
        self.fileName = fileName
        self.fileExtension = fileExtension
        self.byteCount = byteCount
    }
}
