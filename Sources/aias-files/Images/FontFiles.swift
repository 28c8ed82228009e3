internal import Glibc

/// The fonts that are installed on the machine; behind the walls only these folders can be read.
enum FontFiles {
    static let folders = ["/usr/share/fonts", "/usr/local/share/fonts"]
    private static let filesMaximum = 5_000
    private static let fallback = "DejaVuSans"

    /// The file of a font: given by its path as n8n gives it, or by its name (`DejaVu Sans Bold`); `default` is DejaVu Sans.
    /// - Throws: `invalid_parameter` where there is none of the name, `unavailable` where no font is installed at all.
    static func find(_ font: String) throws -> String {
        let files = installed()
        guard !files.isEmpty else { throw Fault("unavailable", "no font is installed on the server; install the package fonts-dejavu-core") }
        if let file = files.first(where: { $0 == font }) { return file }
        let isDefault = font.isEmpty || font == "default"
        let wanted = plain(isDefault ? fallback : name(font))
        if let file = files.first(where: { plain(name($0)) == wanted }) { return file }
        if isDefault { return files[0] }
        let known = Set(files.map(name)).sorted().prefix(20).joined(separator: ", ")
        throw Fault("invalid_parameter", "the font '\(name(font))' is not installed on the server; there are: \(known)")
    }

    private static func installed() -> [String] {
        var found: [String] = []
        var open = folders
        while let folder = open.popLast(), found.count < filesMaximum {
            guard let handle = opendir(folder) else { continue }
            defer { closedir(handle) }
            while let entry = readdir(handle) {
                let file = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard !file.hasPrefix(".") else { continue }
                if entry.pointee.d_type == UInt8(DT_DIR) { open.append("\(folder)/\(file)") }
                if [".ttf", ".otf", ".ttc"].contains(where: { file.lowercased().hasSuffix($0) }) { found.append("\(folder)/\(file)") }
            }
        }
        return found.sorted()
    }

    /// `/a/DejaVuSans-Bold.ttf` → `DejaVuSans-Bold`
    private static func name(_ path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        guard let dot = file.lastIndex(of: "."), [".ttf", ".otf", ".ttc"].contains(file[dot...].lowercased()) else { return file }
        return String(file[..<dot])
    }

    private static func plain(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }
}
