internal import Kernel

/// Media types by the ends of file names and by first bytes (IANA's registry, the formats' own signatures).
enum FileTypes {
    /// The first entry of a type is the ending it is given.
    private static let table: [(ending: String, type: String)] = [
        ("txt", "text/plain"), ("log", "text/plain"), ("csv", "text/csv"), ("tsv", "text/tab-separated-values"), ("html", "text/html"),
        ("htm", "text/html"), ("css", "text/css"), ("md", "text/markdown"), ("ics", "text/calendar"), ("vcf", "text/vcard"),
        ("js", "text/javascript"), ("xml", "application/xml"), ("xml", "text/xml"), ("json", "application/json"),
        ("yaml", "application/yaml"), ("yml", "application/yaml"), ("pdf", "application/pdf"), ("rtf", "application/rtf"),
        ("zip", "application/zip"), ("gz", "application/gzip"), ("gzip", "application/gzip"), ("tar", "application/x-tar"),
        ("7z", "application/x-7z-compressed"), ("doc", "application/msword"), ("xls", "application/vnd.ms-excel"),
        ("ppt", "application/vnd.ms-powerpoint"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ("odt", "application/vnd.oasis.opendocument.text"), ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
        ("epub", "application/epub+zip"), ("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg"), ("gif", "image/gif"),
        ("webp", "image/webp"), ("svg", "image/svg+xml"), ("ico", "image/vnd.microsoft.icon"), ("bmp", "image/bmp"), ("tiff", "image/tiff"),
        ("avif", "image/avif"), ("heic", "image/heic"), ("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("ogg", "audio/ogg"), ("m4a", "audio/mp4"),
        ("flac", "audio/flac"), ("mp4", "video/mp4"), ("webm", "video/webm"), ("mov", "video/quicktime"), ("eml", "message/rfc822"),
        ("wasm", "application/wasm"), ("bin", "application/octet-stream")
    ]

    static func type(ofName name: String) -> String? {
        guard let ending = ending(ofName: name) else { return nil }
        return table.first { $0.ending == ending }?.type
    }

    /// What stands after the last dot, in lower case.
    static func ending(ofName name: String) -> String? {
        let last = name.split(separator: "/").last ?? ""
        guard let dot = last.lastIndex(of: "."), dot != last.startIndex else { return nil }
        let ending = last[last.index(after: dot)...].lowercased()
        return ending.isEmpty ? nil : ending
    }

    static func ending(ofType type: String) -> String? {
        let bare = type.prefix { $0 != ";" }.lowercased()
        return table.first { $0.type == bare }?.ending
    }

    private static let signatures: [(bytes: [UInt8], type: String)] = [
        ([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], "image/png"), ([0xff, 0xd8, 0xff], "image/jpeg"),
        (Array("GIF8".utf8), "image/gif"), (Array("%PDF-".utf8), "application/pdf"), ([0x50, 0x4b, 0x03, 0x04], "application/zip"),
        ([0x1f, 0x8b], "application/gzip"), (Array("BM".utf8), "image/bmp"), (Array("{\\rtf".utf8), "application/rtf"),
        ([0x49, 0x49, 0x2a, 0x00], "image/tiff"), ([0x4d, 0x4d, 0x00, 0x2a], "image/tiff"), (Array("OggS".utf8), "audio/ogg"),
        (Array("ID3".utf8), "audio/mpeg"), (Array("fLaC".utf8), "audio/flac"), (Array("<?xml ".utf8), "application/xml"),
        ([0x1a, 0x45, 0xdf, 0xa3], "video/webm"), ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "application/x-7z-compressed")
    ]

    static func type(ofBytes bytes: [UInt8]) -> String? {
        if bytes.count >= 12, bytes.starts(with: Array("RIFF".utf8)) {
            switch String(decoding: bytes[8..<12], as: UTF8.self) {
            case "WEBP": return "image/webp"
            case "WAVE": return "audio/wav"
            default: break
            }
        }
        if bytes.count >= 12, String(decoding: bytes[4..<8], as: UTF8.self) == "ftyp" { return "video/mp4" }
        return signatures.first { bytes.starts(with: $0.bytes) }?.type
    }

    /// What n8n calls a group of media types; nil for all others.
    static func group(of type: String) -> String? {
        switch true {
        case type.hasPrefix("application/json"): "json"
        case type.hasPrefix("text/html"): "html"
        case type.hasPrefix("image/"): "image"
        case type.hasPrefix("audio/"): "audio"
        case type.hasPrefix("video/"): "video"
        case type.hasPrefix("text/"), type.hasPrefix("application/javascript"): "text"
        case type.hasPrefix("application/pdf"): "pdf"
        default: nil
        }
    }

    /// Bytes as n8n words them: three digits in the largest unit of a thousand, `13 B`, `1.34 kB`.
    static func size(_ bytes: Int) -> String {
        var (value, unit) = (Double(bytes), 0)
        let units = ["B", "kB", "MB", "GB", "TB"]
        while value >= 1_000, unit < units.count - 1 {
            value /= 1_000
            unit += 1
        }
        guard unit > 0 else { return "\(bytes) B" }
        let scale: Double = value >= 100 ? 1 : value >= 10 ? 10 : 100
        let rounded = (value * scale).rounded() / scale
        return "\(JSON.number(rounded).displayText) \(units[unit])"
    }
}
