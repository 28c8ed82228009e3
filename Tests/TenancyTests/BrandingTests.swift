import Foundation
import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

@Suite struct BrandingTests {
    /// What every PNG begins with, and nothing more.
    static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 1, 2, 3]

    func principal(_ world: TenancyHarness) async throws -> Principal {
        try await world.tenancy.principal(Presented(bearer: world.acmeKey, session: nil, tenant: nil))
    }

    @Test func `colours turn into tones and back`() throws {
        for hex in ["#000000", "#ffffff", "#1f6feb", "#ffee00", "#0a7f3f", "#c2185b", "#808080"] {
            #expect(ToneColour(try #require(Colour(hex: hex))).colour.hex == hex)
        }
        for text in ["1f6feb", "#1f6fe", "#1f6febb", "#1g6feb", "", "#-12345"] { #expect(Colour(hex: text) == nil, "\(text)") }
        // CSS Color 4 gives oklch(0.62796 0.25768 29.234) for red.
        let red = ToneColour(try #require(Colour(hex: "#ff0000")))
        #expect(abs(red.lightness - 0.62796) < 0.0005 && abs(red.chroma - 0.25768) < 0.0005 && abs(red.hue - 29.234) < 0.05)
        // WCAG: black on white is 21, #767676 on white the lightest grey that is enough.
        #expect(Colour.black.contrast(with: .white) == 21)
        #expect(try #require(Colour(hex: "#767676")).contrast(with: .white) >= 4.5)
        #expect(try #require(Colour(hex: "#777777")).contrast(with: .white) < 4.5)
    }

    @Test func `whatever colour is chosen, text in it reads well in light and dark`() throws {
        let parts = stride(from: 0, through: 255, by: 51)
        let sheets = [(Colour.white, true), (ToneColour(lightness: 0.23, chroma: 0.016, hue: 255).colour, false)]
        for red in parts {
            for green in parts {
                for blue in parts {
                    let colour = Colour(red: Double(red) / 255, green: Double(green) / 255, blue: Double(blue) / 255)
                    let palette = AccentPalette(colour)
                    for (sheet, isLight) in sheets {
                        let scheme = isLight ? palette.light : palette.dark
                        #expect(scheme.text.contrast(with: sheet) >= 4.5 && scheme.text.contrast(with: scheme.soft) >= 4.5, "\(colour.hex)")
                        #expect(scheme.fill.contrast(with: scheme.fillInk) >= 4.5, "\(colour.hex)")
                        #expect(scheme.fill.contrast(with: sheet) >= 1.3, "\(colour.hex)")
                    }
                }
            }
        }
        let good = AccentPalette(try #require(Colour(hex: "#1f55b5")))
        #expect(good.light.fill.hex == "#1f55b5" && good.light.text.hex == "#1f55b5")
    }

    @Test func `a contrast is never said to be better than it is`() {
        #expect(BrandingPages.ratio(4.4999) == "4.4:1" && BrandingPages.ratio(4.5) == "4.5:1" && BrandingPages.ratio(21) == "21.0:1")
    }

    @Test(arguments: DatabaseEngine.allCases) func `name, colour and picture dress the pages of their tenant alone`(engine: DatabaseEngine)
        async throws
    {
        try await withTenancy(engine) { world in
            let (tenancy, acme) = (world.tenancy, world.acme.id)
            let other = try await world.makeTenant("other").tenant
            let ana = try await principal(world)
            #expect(try await tenancy.brand(of: acme) == .platform)
            try await tenancy.setBranding(productName: "  Acme   Flows ", accent: "#C2185B", of: acme, by: ana)
            try await tenancy.setLogo(Self.png, of: acme, by: ana)
            let brand = try await tenancy.brand(of: acme)
            #expect(brand.name == "Acme Flows")
            #expect(try await tenancy.brand(of: other.id) == .platform)
            #expect(try await tenancy.visitorsBrand(of: other.id).name == "other")
            let surface = try world.surface()
            let style = try await surface.answer(LocalRequest("GET", try #require(brand.style)))
            #expect(style.text.contains("--fill: light-dark(#c2185b, ") && style.header("Cache-Control")?.contains("immutable") == true)
            let logo = try await surface.answer(LocalRequest("GET", try #require(brand.logo)))
            #expect(logo.body == Self.png && logo.header("Content-Type") == "image/png")
            let again = try await surface.answer(
                LocalRequest("GET", "/branding/acme/logo", headers: [("If-None-Match", try #require(logo.header("ETag")))]))
            #expect(again.status == 304 && again.header("Cache-Control") == "no-cache")
            for path in ["/branding/other/style.css", "/branding/other/logo", "/branding/nobody/logo"] {
                #expect(try await surface.answer(LocalRequest("GET", path)).status == 404)
            }
            // The tenant's door wears it, the platform's does not.
            #expect(try await surface.answer(LocalRequest("GET", "/t/acme/sign-in")).text.contains("<span>Acme Flows</span>"))
            #expect(try await surface.answer(LocalRequest("GET", "/sign-in", host: "acme.localhost")).text.contains("/branding/acme/style.css"))
            #expect(try await !surface.answer(LocalRequest("GET", "/sign-in")).text.contains("Acme"))
            let page = try await surface.answer(LocalRequest("GET", "/settings", headers: [("Authorization", "Bearer \(world.acmeKey)")]))
            #expect(page.text.contains("Acme Flows") && page.text.contains("/branding/acme/logo"))
            try await tenancy.removeLogo(of: acme, by: ana)
            try await tenancy.setBranding(productName: nil, accent: nil, of: acme, by: ana)
            #expect(try await tenancy.brand(of: acme) == .platform)
            #expect(try await world.actions(of: acme) == ["tenant.create"] + Array(repeating: "branding.update", count: 4))
        }
    }

    @Test func `a picture that is another thing is refused in words`() async throws {
        try await withTenancy(.sqlite) { world in
            let ana = try await principal(world)
            let svg = Array("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".utf8)
            for bytes in [svg, Array("GIF89a".utf8), [], Array(Self.png.dropLast(5))] {
                #expect(try await refusal { try await world.tenancy.setLogo(bytes, of: world.acme.id, by: ana) } == "not_a_picture")
            }
            let large = Self.png + [UInt8](repeating: 0, count: Branding.logoBytes)
            #expect(try await refusal { try await world.tenancy.setLogo(large, of: world.acme.id, by: ana) } == "picture_too_large")
            #expect(
                try await refusal { try await world.tenancy.setBranding(productName: nil, accent: "red", of: world.acme.id, by: ana) } == "bad_colour"
            )
            let long = String(repeating: "x", count: 41)
            #expect(
                try await refusal { try await world.tenancy.setBranding(productName: long, accent: nil, of: world.acme.id, by: ana) }
                    == "bad_product_name")
        }
    }

    @Test func `what a replaced picture took is given back`() async throws {
        try await withTenancy(.sqlite) { world in
            let ana = try await principal(world)
            let acme = world.acme.id
            for count in [100, 50] { try await world.tenancy.setLogo(Self.png + [UInt8](repeating: 7, count: count), of: acme, by: ana) }
            let used = try await world.database.read(in: acme) { tx in try StorageUse(tx: tx).bytes() }
            #expect(used == Self.png.count + 50)
            try await world.tenancy.removeLogo(of: acme, by: ana)
            #expect(try await world.database.read(in: acme) { tx in try StorageUse(tx: tx).bytes() } == 0)
        }
    }
}
