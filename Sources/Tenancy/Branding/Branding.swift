package import Persistence

/// How a tenant's pages look, where it chose something; what it did not choose is the platform's.
package struct Branding: Sendable, Hashable {
    package struct Logo: Sendable, Hashable {
        package var hash: PayloadHash
        package var contentType: String
    }

    package var productName: String?
    /// `#1f6feb`
    package var accent: String?
    package var logo: Logo?

    package init(productName: String? = nil, accent: String? = nil, logo: Logo? = nil) {
        self.productName = productName
        self.accent = accent
        self.logo = logo
    }

    static let logoBytes = 256 << 10

    /// What a picture's first bytes say it is; nil for what is not shown: SVG may hold scripts, and others not every browser knows.
    static func contentType(of bytes: [UInt8]) -> String? {
        func begins(_ mark: [UInt8], at start: Int = 0) -> Bool {
            bytes.count > start + mark.count && Array(bytes[start..<start + mark.count]) == mark
        }
        if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
        if begins([0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
        if begins(Array("RIFF".utf8)), begins(Array("WEBP".utf8), at: 8) { return "image/webp" }
        return nil
    }
}
