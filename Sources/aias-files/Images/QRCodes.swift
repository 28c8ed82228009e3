internal import CQREncode
internal import CZBar
internal import Glibc
internal import Kernel

/// QR codes (ISO/IEC 18004): made with libqrencode, read with ZBar.
enum QRCodes {
    /// Bytes of one code at most, at the lowest correction.
    static let textBytesMaximum = 2_953
    /// Codes that are read from one image.
    private static let codesMaximum = 1_000

    /// `{text, format, level, module_pixels, margin, dark, light}` → the file, and `{modules}` along a side without the margin.
    static func make(_ request: Wire.Message) throws -> Wire.Message {
        let text = request.text("text")
        guard !text.isEmpty else { throw Fault("invalid_parameter", "there is no text to put into the code") }
        guard !text.utf8.contains(0) else { throw Fault("invalid_parameter", "a text with a zero character cannot be put into a code") }
        let levels = ["L": QR_ECLEVEL_L, "M": QR_ECLEVEL_M, "Q": QR_ECLEVEL_Q, "H": QR_ECLEVEL_H]
        guard let level = levels[request.text("level")] else { throw Fault("invalid_parameter", "the error correction is one of L, M, Q, H") }
        guard text.utf8.count <= 4 * textBytesMaximum, let code = QRcode_encodeString(text, 0, level, QR_MODE_8, 1) else {
            throw Fault(
                "invalid_parameter",
                "the text of \(text.utf8.count) bytes is too long for a code; at level L it holds \(textBytesMaximum) bytes, at H 1273")
        }
        defer { QRcode_free(code) }
        let side = Int(code.pointee.width)
        // The lowest bit of each byte is the module's colour.
        let modules = (0..<side * side).map { code.pointee.data[$0] & 1 == 1 }
        let grid = Grid(
            side: side, modules: modules, margin: try whole(request, "margin", 0...100), pixels: try whole(request, "module_pixels", 1...100))
        let (dark, light) = (request.text("dark"), request.text("light"))
        let bytes: [UInt8]
        switch request.text("format") {
        case "png": bytes = try grid.png(dark: Color(dark), light: Color(light))
        case "svg": bytes = Array(grid.svg(dark: try Color(dark), light: try Color(light)).utf8)
        case let name: throw Fault("invalid_parameter", "'\(name)' is no format for a code; choose png or svg")
        }
        return Wire.Message(head: ["modules": .number(Double(side))], files: [Wire.File(name: "", bytes: bytes)])
    }

    private static func whole(_ request: Wire.Message, _ name: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let value = request.head[name]?.integer, range.contains(value) else {
            throw Fault("invalid_parameter", "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// `{barcodes}` and an image → `{codes: [{type, text}]}`, QR codes alone unless `barcodes` asks for the others.
    static func read(_ request: Wire.Message) throws -> Wire.Message {
        let picture = try Picture(reading: request.file())
        let grey = try picture.grey()
        guard let scanner = zbar_image_scanner_create(), let image = zbar_image_create() else { throw Fault("unavailable", "no scanner of codes") }
        defer {
            zbar_image_destroy(image)
            zbar_image_scanner_destroy(scanner)
        }
        if !request.flag("barcodes") {
            _ = zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0)
            _ = zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1)
        }
        zbar_image_set_format(image, zbar_fourcc_parse("Y800"))
        zbar_image_set_size(image, UInt32(picture.width), UInt32(picture.height))
        var codes: [JSON] = []
        try grey.withUnsafeBytes { bytes in
            zbar_image_set_data(image, bytes.baseAddress, UInt(bytes.count), nil)
            guard zbar_scan_image(scanner, image) >= 0 else { throw Fault("unreadable_file", "the image cannot be searched for codes") }
            var symbol = zbar_image_first_symbol(image)
            while let found = symbol, codes.count < codesMaximum {
                let length = Int(zbar_symbol_get_data_length(found))
                let text = zbar_symbol_get_data(found).map {
                    String(decoding: UnsafeRawBufferPointer(start: $0, count: length), as: UTF8.self)
                }
                let type = zbar_get_symbol_name(zbar_symbol_get_type(found)).map { String(cString: $0) } ?? ""
                codes.append(["type": .string(type), "text": .string(text ?? "")])
                symbol = zbar_symbol_next(found)
            }
        }
        return Wire.Message(head: ["codes": .array(codes)])
    }

    /// `#RRGGBB`, or `#RRGGBBAA` where 00 is opaque, as colours of the images are given.
    private struct Color {
        let rgba: [UInt8]

        init(_ text: String) throws {
            let digits = text.dropFirst()
            guard text.hasPrefix("#"), digits.utf8.count == 6 || digits.utf8.count == 8, let number = UInt32(digits, radix: 16) else {
                throw Fault("invalid_parameter", "'\(text)' is no colour of a code; give #RRGGBB, or #RRGGBBAA where 00 is opaque")
            }
            let all = digits.utf8.count == 6 ? number << 8 : number
            rgba = [UInt8(all >> 24), UInt8(all >> 16 & 255), UInt8(all >> 8 & 255), 255 - UInt8(all & 255)]
        }

        var svg: String {
            let opacity = rgba[3] == 255 ? "" : "\" fill-opacity=\"\(Double(rgba[3]) / 255)"
            return "#\(rgba[..<3].hexText)\(opacity)"
        }
    }

    private struct Grid {
        let side: Int
        let modules: [Bool]
        /// Light modules around the code; four is what readers expect.
        let margin: Int
        let pixels: Int

        var whole: Int { side + 2 * margin }

        func png(dark: Color, light: Color) throws -> [UInt8] {
            let width = whole * pixels
            try Picture.check(width: width, height: width)
            var rgba: [UInt8] = []
            rgba.reserveCapacity(4 * width * width)
            for row in -margin..<side + margin {
                var line: [UInt8] = []
                line.reserveCapacity(4 * width)
                for column in -margin..<side + margin {
                    let isInside = (0..<side).contains(row) && (0..<side).contains(column)
                    let color = isInside && modules[row * side + column] ? dark.rgba : light.rgba
                    for _ in 0..<pixels { line += color }
                }
                for _ in 0..<pixels { rgba += line }
            }
            return try Picture(width: width, height: width, rgba: rgba).file(.png)
        }

        func svg(dark: Color, light: Color) -> String {
            var path = ""
            for row in 0..<side {
                var column = 0
                while column < side {
                    let run = modules[row * side + column..<(row + 1) * side].prefix { $0 }.count
                    if run > 0 { path += "M\(column + margin) \(row + margin)h\(run)v1h-\(run)z" }
                    column += max(1, run)
                }
            }
            let size = whole * pixels
            return """
                <svg xmlns="http://www.w3.org/2000/svg" width="\(size)" height="\(size)" viewBox="0 0 \(whole) \(whole)" shape-rendering="crispEdges">\
                <path fill="\(light.svg)" d="M0 0h\(whole)v\(whole)h-\(whole)z"/><path fill="\(dark.svg)" d="\(path)"/></svg>\n
                """
        }
    }
}
