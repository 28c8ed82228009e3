internal import Kernel

/// What the program can do, by the request's `operation`.
enum Conversions {
    static func perform(_ request: Wire.Message) throws -> Wire.Message {
        switch request.text("operation") {
        case "unzip": return try unzip(request)
        case "zip": return Wire.Message(head: [:], files: [Wire.File(name: "", bytes: try zip(request))])
        case "gunzip": return Wire.Message(head: [:], files: [Wire.File(name: "", bytes: try Gzip.unpack(request.file(), limits: limits(request)))])
        case "gzip": return Wire.Message(head: [:], files: [Wire.File(name: "", bytes: try Gzip.pack(request.file()))])
        case "read_sheet": return try readSheet(request)
        case "write_sheet": return Wire.Message(head: [:], files: [Wire.File(name: "", bytes: try writeSheet(request))])
        case "read_xml": return Wire.Message(head: try XMLOutline.read(request.file()))
        case "read_pdf": return Wire.Message(head: try PDFText.read(request))
        case "edit_image": return try PictureSteps(request: request).run()
        case "describe_image": return Wire.Message(head: ["facts": .object(try PictureFacts.read(request.file()))])
        case "make_qr": return try QRCodes.make(request)
        case "read_codes": return try QRCodes.read(request)
        case "read_mail": return try MailReader.read(request)
        case "query_sql": return try SQLQuery.answer(request)
        case let operation: throw Fault("bad_request", "there is no operation '\(operation)'")
        }
    }

    private static func limits(_ request: Wire.Message) -> UnpackLimits {
        UnpackLimits(
            bytes: request.head["maximum_bytes"]?.integer ?? 0, entries: request.head["maximum_entries"]?.integer ?? 0,
            ratio: request.head["maximum_ratio"]?.integer ?? 0)
    }

    private static func unzip(_ request: Wire.Message) throws -> Wire.Message {
        let archive = try ZipReader(request.file(), limits: limits(request))
        var files: [Wire.File] = []
        for entry in archive.entries where !entry.hasSuffix("/") {
            files.append(Wire.File(name: entry, bytes: try archive.read(entry) ?? []))
        }
        return Wire.Message(head: [:], files: files)
    }

    private static func zip(_ request: Wire.Message) throws -> [UInt8] {
        let levels = request.head["levels"]?.array ?? []
        return try ZipWriter.archive(
            request.files.enumerated().map { index, file in
                ZipWriter.Entry(name: file.name, bytes: file.bytes, isStored: levels.indices.contains(index) && levels[index] == 0)
            })
    }

    private static func readSheet(_ request: Wire.Message) throws -> Wire.Message {
        let bytes = try request.file()
        let chosen = request.head["sheet"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        switch request.text("format") {
        case "xlsx": return Wire.Message(head: try XLSXReader(ZipReader(bytes, limits: limits(request))).read(sheet: chosen))
        case "ods": return Wire.Message(head: try ODSReader.read(ZipReader(bytes, limits: limits(request)), sheet: chosen))
        case "html": return Wire.Message(head: try HTMLTables.read(bytes, sheet: chosen, isRaw: request.flag("raw")))
        case let format: throw Fault("unsupported_format", "'\(format)' is no spreadsheet that can be read")
        }
    }

    private static func writeSheet(_ request: Wire.Message) throws -> [UInt8] {
        let rows = (request.head["rows"]?.array ?? []).map { $0.array ?? [] }
        let name = request.text("sheet")
        switch request.text("format") {
        case "xlsx": return try XLSXWriter.write(rows, sheet: name, isCompressed: request.flag("compressed"))
        case "ods": return try ODSWriter.write(rows, sheet: name, isCompressed: request.flag("compressed"))
        case let format: throw Fault("unsupported_format", "'\(format)' is no spreadsheet that can be written")
        }
    }
}

/// What may come out of a packed file, so that a small file cannot fill the memory.
struct UnpackLimits {
    /// Of all entries together.
    var bytes: Int
    var entries: Int
    /// How many times larger than the packed file the whole may be, once it is above a megabyte.
    var ratio: Int

    func check(unpacked: Int, packed: Int) throws {
        guard unpacked <= bytes else { throw Fault("file_too_large", "the file unpacks to more than \(bytes) bytes") }
        guard unpacked <= 1 << 20 || unpacked / max(1, packed) <= ratio else {
            throw Fault("file_too_large", "the file unpacks to more than \(ratio) times its size")
        }
    }
}
