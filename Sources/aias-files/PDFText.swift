internal import CPoppler
internal import Glibc
internal import Kernel

/// The text and the facts of a PDF file, read with poppler.
enum PDFText {
    /// Pages that are read at most, and characters of all of them.
    static let pagesMaximum = 10_000
    static let textBytesMaximum = 64 << 20

    static func read(_ request: Wire.Message) throws -> JSONObject {
        let bytes = try request.file()
        let document = try open(bytes, password: request.text("password"))
        defer { g_object_unref(UnsafeMutableRawPointer(document)) }
        let count = Int(poppler_document_get_n_pages(document))
        let wanted = request.head["maximum_pages"]?.integer ?? count
        var pages: [JSON] = []
        var length = 0
        for index in 0..<max(0, min(count, wanted, pagesMaximum)) {
            guard let page = poppler_document_get_page(document, Int32(index)) else { continue }
            defer { g_object_unref(UnsafeMutableRawPointer(page)) }
            let text = taken(poppler_page_get_text(page)) ?? ""
            length += text.utf8.count
            guard length <= textBytesMaximum else { throw Fault("file_too_large", "the file has more than \(textBytesMaximum) bytes of text") }
            pages.append(.string(trimmed(text)))
        }
        var head: JSONObject = ["numpages": .number(Double(count)), "info": .object(info(of: document)), "pages": .array(pages)]
        if let packet = taken(poppler_document_get_metadata(document)) { head["metadata"] = metadata(packet) }
        head["version"] = .string(String(cString: poppler_get_version()))
        return head
    }

    private static func open(_ bytes: [UInt8], password: String) throws -> OpaquePointer {
        let data = bytes.withUnsafeBytes { g_bytes_new($0.baseAddress, gsize($0.count)) }
        defer { g_bytes_unref(data) }
        var error: UnsafeMutablePointer<GError>?
        if let document = poppler_document_new_from_bytes(data, password.isEmpty ? nil : password, &error) { return document }
        let code = error?.pointee.code ?? 0
        if code == Int32(POPPLER_ERROR_ENCRYPTED.rawValue) {
            throw Fault("password", password.isEmpty ? "No password given" : "Incorrect Password")
        }
        throw Fault("unreadable_file", "Invalid PDF structure.")
    }

    /// By the names that the format itself uses.
    private static func info(of document: OpaquePointer) -> JSONObject {
        var info = JSONObject()
        if let version = taken(poppler_document_get_pdf_version_string(document)) {
            info["PDFFormatVersion"] = .string(String(version.drop { !$0.isNumber }))
        }
        info["IsLinearized"] = .bool(poppler_document_is_linearized(document) != 0)
        let texts: [(String, UnsafeMutablePointer<CChar>?)] = [
            ("Title", poppler_document_get_title(document)), ("Author", poppler_document_get_author(document)),
            ("Subject", poppler_document_get_subject(document)), ("Keywords", poppler_document_get_keywords(document)),
            ("Creator", poppler_document_get_creator(document)), ("Producer", poppler_document_get_producer(document))
        ]
        for (name, pointer) in texts { if let text = taken(pointer), !text.isEmpty { info[name] = .string(text) } }
        let dates = [("CreationDate", poppler_document_get_creation_date(document)), ("ModDate", poppler_document_get_modification_date(document))]
        for (name, seconds) in dates where seconds != -1 {
            var time = time_t(seconds)
            var parts = tm()
            gmtime_r(&time, &parts)
            var text = [CChar](repeating: 0, count: 32)
            if strftime(&text, text.count, "D:%Y%m%d%H%M%SZ", &parts) > 0 {
                info[name] = .string(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
        }
        return info
    }

    /// The properties of an XMP packet: `dc:title` and so on, in lower case.
    private static func metadata(_ packet: String) -> JSON? {
        guard let root = try? XMLTree(xml: Array(packet.utf8)).root else { return nil }
        var members = JSONObject()
        for description in root.descendants("Description") {
            for attribute in description.attributes where !attribute.prefix.isEmpty && attribute.prefix != "rdf" {
                members["\(attribute.prefix):\(attribute.name)".lowercased()] = .string(attribute.value)
            }
            for property in description.children where !property.prefix.isEmpty {
                members["\(property.prefix):\(property.name)".lowercased()] = .string(trimmed(property.text))
            }
        }
        return members.isEmpty ? nil : .object(members)
    }

    private static func taken(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        guard let text else { return nil }
        defer { g_free(text) }
        return String(cString: text)
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
