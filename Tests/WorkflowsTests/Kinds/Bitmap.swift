/// A picture of 24 or 32 bits a pixel as a BMP file, written and read without any library, so that tests see what became of each pixel.
struct Bitmap: Equatable {
    struct Pixel: Equatable {
        var red: UInt8
        var green: UInt8
        var blue: UInt8
        static let red = Pixel(red: 255, green: 0, blue: 0)
        static let green = Pixel(red: 0, green: 255, blue: 0)
        static let blue = Pixel(red: 0, green: 0, blue: 255)
        static let black = Pixel(red: 0, green: 0, blue: 0)
        static let white = Pixel(red: 255, green: 255, blue: 255)
    }

    let width: Int
    let height: Int
    /// Rows from the top.
    private var pixels: [Pixel]

    init(_ width: Int, _ height: Int, _ color: (_ x: Int, _ y: Int) -> Pixel) {
        self.width = width
        self.height = height
        pixels = (0..<width * height).map { color($0 % width, $0 / width) }
    }

    subscript(x: Int, y: Int) -> Pixel { pixels[y * width + x] }

    /// How many pixels of a rectangle are so.
    func count(_ columns: Range<Int>, _ rows: Range<Int>, where isSo: (Pixel) -> Bool) -> Int {
        rows.reduce(0) { sum, y in sum + columns.count { isSo(self[$0, y]) } }
    }

    /// nil for a file of another shape: packed, with a palette, or cut off.
    init?(file: [UInt8]) {
        func number(_ place: Int, _ bytes: Int) -> Int {
            file[place..<place + bytes].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        guard file.count > 54, file.starts(with: Array("BM".utf8)) else { return nil }
        let (start, bits) = (number(10, 4), number(28, 2))
        let (width, signed) = (number(18, 4), Int(Int32(truncatingIfNeeded: number(22, 4))))
        let stride = (width * bits / 8 + 3) / 4 * 4
        let height = abs(signed)
        guard bits == 24 || bits == 32, file.count >= start + stride * height else { return nil }
        self.init(width, height) { x, y in
            let place = start + stride * (signed > 0 ? height - 1 - y : y) + x * bits / 8
            return Pixel(red: file[place + 2], green: file[place + 1], blue: file[place])
        }
    }

    /// The file, of 24 bits a pixel.
    var file: [UInt8] {
        func bytes(_ number: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        let padding = [UInt8](repeating: 0, count: (4 - width * 3 % 4) % 4)
        let rows = (0..<height).reversed().flatMap { y in
            (0..<width).flatMap { [self[$0, y].blue, self[$0, y].green, self[$0, y].red] } + padding
        }
        let head = bytes(40, 4) + bytes(width, 4) + bytes(height, 4) + bytes(1, 2) + bytes(24, 2) + bytes(0, 4) + bytes(rows.count, 4)
        let rest = bytes(2_835, 4) + bytes(2_835, 4) + bytes(0, 8)
        return Array("BM".utf8) + bytes(54 + rows.count, 4) + bytes(0, 4) + bytes(54, 4) + head + rest + rows
    }
}
