internal import CImages
internal import Glibc
internal import Kernel

/// An image in memory, read, changed and written with GraphicsMagick.
final class Picture {
    /// Pixels of one image, its longer side, and what all pixels of a conversion take together: eight bytes a pixel.
    static let pixelsMaximum = 64_000_000
    static let sideMaximum = 30_000
    static let memoryBytesMaximum = 1_280 << 20

    /// The formats that are read and written, by the names that n8n gives them. SVG, MVG, PDF and others that draw or name files are not.
    enum Format: String {
        case png, jpeg, gif, bmp, tiff, webp

        /// By the file's first bytes, whatever its name is.
        init?(of bytes: [UInt8]) {
            let known: [(Format, [UInt8])] = [
                (.png, [0x89, 0x50, 0x4e, 0x47]), (.jpeg, [0xff, 0xd8, 0xff]), (.gif, Array("GIF8".utf8)), (.bmp, Array("BM".utf8)),
                (.tiff, [0x49, 0x49, 0x2a, 0]), (.tiff, [0x4d, 0x4d, 0, 0x2a])
            ]
            if let found = known.first(where: { bytes.starts(with: $0.1) }) {
                self = found.0
            } else if bytes.count >= 12, bytes.starts(with: Array("RIFF".utf8)), bytes[8..<12].elementsEqual("WEBP".utf8) {
                self = .webp
            } else {
                return nil
            }
        }
    }

    /// Where GraphicsMagick has its tables of colours and types.
    static let settings = ["/usr/share", "/usr/lib"].map { "\($0)/GraphicsMagick-\(String(cString: aias_images_version()))/config" }

    /// Set up once: its folders of settings are read here, behind the walls.
    private static let isReady =
        aias_images_start(Int64(pixelsMaximum), Int64(sideMaximum), Int64(memoryBytesMaximum)) == 0

    let image: OpaquePointer

    private init(_ image: OpaquePointer?, or message: String) throws {
        guard let image else { throw Picture.fault(message) }
        self.image = image
    }

    deinit { aias_image_free(image) }

    /// - Throws: `unreadable_file`, `unsupported_format`, `file_too_large`.
    convenience init(reading bytes: [UInt8]) throws {
        try Picture.start()
        guard !bytes.isEmpty else { throw Fault("unreadable_file", "the file is empty") }
        guard let format = Format(of: bytes) else {
            throw Fault("unsupported_format", "the file is no image of the formats PNG, JPEG, GIF, BMP, TIFF and WebP")
        }
        try self.init(aias_image_read(format.rawValue.uppercased(), bytes, bytes.count), or: "the image cannot be read")
    }

    convenience init(width: Int, height: Int, color: String) throws {
        try Picture.start()
        try Picture.check(width: width, height: height)
        try Picture.check(color: color)
        try self.init(aias_image_create(width, height, color), or: "the image cannot be made")
    }

    /// - Parameter rgba: red, green, blue and opacity (255 is opaque) of each pixel, rows from the top.
    convenience init(width: Int, height: Int, rgba: [UInt8]) throws {
        try Picture.start()
        try Picture.check(width: width, height: height)
        precondition(rgba.count == 4 * width * height, "four bytes a pixel")
        try self.init(aias_image_from_pixels(width, height, rgba), or: "the image cannot be made")
    }

    var width: Int { aias_image_width(image) }
    var height: Int { aias_image_height(image) }
    /// nil where it was made here.
    var format: Format? { Format(rawValue: String(cString: aias_image_format(image)).lowercased()) }

    /// Options of `gm mogrify`, for every frame.
    func mogrify(_ arguments: [String]) throws {
        let pointers = arguments.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        let status = pointers.map { UnsafePointer($0) }.withUnsafeBufferPointer {
            aias_image_mogrify(image, Int32($0.count), UnsafeMutablePointer(mutating: $0.baseAddress))
        }
        guard status == 0 else { throw Picture.fault("the image cannot be changed") }
    }

    func write(_ text: String, font: String, size: Double, color: String, x: Double, y: Double) throws {
        try Picture.check(color: color)
        guard aias_image_write_text(image, font, size, color, x, y, text) == 0 else { throw Picture.fault("the text cannot be written") }
    }

    func put(_ top: Picture, operator name: String, x: Int, y: Int) throws {
        guard aias_image_composite(image, top.image, name, x, y) == 0 else { throw Picture.fault("the images cannot be put together") }
    }

    /// - Parameter quality: 0 to 100 (best); the format's own where it is left out.
    func file(_ format: Format, quality: Int? = nil) throws -> [UInt8] {
        var count = 0
        guard let bytes = aias_image_write(image, format.rawValue.uppercased(), Int32(quality ?? -1), &count) else {
            throw Picture.fault("the image cannot be written as \(format.rawValue)")
        }
        defer { aias_images_release(bytes) }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// What GraphicsMagick tells of it, in lines.
    func description() -> String {
        guard let text = aias_image_describe(image) else { return "" }
        defer { free(text) }
        return String(cString: text)
    }

    /// The grey of each pixel, rows from the top.
    func grey() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: width * height)
        guard aias_image_grey(image, &bytes) == 0 else { throw Picture.fault("the image cannot be read") }
        return bytes
    }

    static func check(width: Int, height: Int) throws {
        guard width >= 1, height >= 1 else { throw Fault("invalid_parameter", "an image is at least one pixel wide and high") }
        guard width <= sideMaximum, height <= sideMaximum, width * height <= pixelsMaximum else {
            throw Fault("file_too_large", limits)
        }
    }

    static func check(color: String) throws {
        try start()
        guard !color.utf8.contains(0), aias_image_knows_color(color) != 0 else {
            throw Fault("invalid_parameter", "'\(color)' is no colour; give #RRGGBB, #RRGGBBAA (00 is opaque) or a name such as white")
        }
    }

    private static let limits =
        "an image has at most \(pixelsMaximum / 1_000_000) million pixels and sides of \(sideMaximum), all its frames and copies"
        + " \(memoryBytesMaximum >> 20) MiB; make it smaller"

    private static func start() throws {
        guard isReady else { throw Fault("unavailable", "GraphicsMagick cannot be set up") }
    }

    private static func fault(_ message: String) -> Fault {
        if aias_images_hit_limit() != 0 { return Fault("file_too_large", limits) }
        return Fault("unreadable_file", "\(message): \(String(cString: aias_images_fault()))")
    }
}
