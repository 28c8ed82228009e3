internal import Kernel

/// Items inside a node's own state, files by reference.
extension Item {
    var stored: JSON {
        var members: JSONObject = ["json": .object(json)]
        if !binary.isEmpty {
            members["binary"] = .object(
                JSONObject(binary.sorted { $0.key < $1.key }.map { name, file in (name, Item.stored(file)) }))
        }
        if let pairedItem {
            members["paired"] = .array(
                pairedItem.map {
                    .array([.number(Double($0.item)), .number(Double($0.input)), $0.run.map { .number(Double($0)) } ?? .null])
                })
        }
        members["error"] = error
        return .object(members)
    }

    init(stored: JSON) {
        self.init(json: stored["json"]?.object ?? [:], error: stored["error"])
        for (name, value) in stored["binary"]?.object ?? [:] {
            binary[name] = BinaryReference(
                id: value["id"]?.text ?? "", mimeType: value["mimeType"]?.text ?? "application/octet-stream",
                fileName: value["fileName"]?.text, fileExtension: value["fileExtension"]?.text, byteCount: value["bytes"]?.integer ?? 0)
        }
        pairedItem = stored["paired"]?.array?.map {
            PairedItem(item: $0[0]?.integer ?? 0, input: $0[1]?.integer ?? 0, run: $0[2]?.integer)
        }
    }

    private static func stored(_ file: BinaryReference) -> JSON {
        var members: JSONObject = ["id": .string(file.id), "mimeType": .string(file.mimeType), "bytes": .number(Double(file.byteCount))]
        members["fileName"] = file.fileName.map { .string($0) }
        members["fileExtension"] = file.fileExtension.map { .string($0) }
        return .object(members)
    }
}
