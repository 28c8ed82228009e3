internal import Kernel
internal import Scripting

extension StepContext {
    /// The attachment of an item, with what is known of it.
    /// - Throws: `no_binary` where the item has none of this name.
    func attachment(_ name: String, of item: Item, at index: Int) throws -> BinaryReference {
        if let file = item.binary[name] { return file }
        let known = item.binary.keys.sorted().joined(separator: ", ")
        throw StepFailure(
            "no_binary",
            "This operation expects a file in the field '\(name)', but the item has \(known.isEmpty ? "no files" : "only \(known)").",
            itemIndex: index, isRetryable: false)
    }

    func bytes(_ name: String, of item: Item, at index: Int) async throws -> [UInt8] {
        try await services.readBinary(attachment(name, of: item, at: index))
    }

    /// Stores a file as n8n does: the type follows from the name, then from the content; a file without a name is called `file` with
    /// the ending of its type.
    func store(_ bytes: [UInt8], name: String? = nil, type: String? = nil) async throws -> BinaryReference {
        let name = name.flatMap { $0.isEmpty ? nil : $0 }
        let given = type.flatMap { $0.isEmpty ? nil : $0 }
        let type = given ?? name.flatMap(FileTypes.type(ofName:)) ?? FileTypes.type(ofBytes: bytes) ?? "text/plain"
        let ending = name.flatMap(FileTypes.ending(ofName:)) ?? FileTypes.ending(ofType: type)
        var file = try await services.writeBinary(bytes, mimeType: type, fileName: name ?? "file" + (ending.map { ".\($0)" } ?? ""))
        file.fileExtension = ending
        return file
    }

    /// Hands a file to the walled converter.
    /// - Throws: a failure of the step with the converter's reason.
    func convert(_ conversion: FileConversion, item: Int? = nil) async throws -> ConvertedFiles {
        do { return try await services.facilities.convert(conversion.of(tenant)) } catch let error as FileConversionError {
            throw StepFailure(error.code, error.message, itemIndex: item, isRetryable: error.code == "unavailable")
        }
    }

    /// The lineage of an item that is made from all of the input.
    var allItems: [PairedItem] { items.indices.map { PairedItem(item: $0) } }
}
