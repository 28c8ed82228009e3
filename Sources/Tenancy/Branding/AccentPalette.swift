/// All that the pages need of a tenant's one colour, in light and dark: what buttons are filled with and the ink on them, a shade of it for links
/// and other text, and a soft one behind that text. Every text has a contrast of 4.5:1 at least on all it stands on (WCAG 2.2, 1.4.3).
struct AccentPalette: Sendable, Hashable {
    struct Scheme: Sendable, Hashable {
        var fill: Colour
        var fillInk: Colour
        var text: Colour
        var soft: Colour
        /// Of the chosen colour itself with the sheet that text stands on.
        var contrast: Double
    }

    static let contrastLeast = 4.5

    let light: Scheme
    let dark: Scheme

    init(_ chosen: Colour) {
        let tone = ToneColour(chosen)
        light = Self.scheme(chosen, tone, softLightness: 0.945, softChroma: 0.03, surfaces: Self.lightSurfaces, step: -0.01)
        dark = Self.scheme(chosen, tone, softLightness: 0.30, softChroma: 0.06, surfaces: Self.darkSurfaces, step: 0.01)
    }

    /// The sheet first; as `tokens.css` has them.
    private static let lightSurfaces = [
        Colour.white, ToneColour(lightness: 0.985, chroma: 0.004, hue: 255).colour, ToneColour(lightness: 0.96, chroma: 0.006, hue: 255).colour
    ]
    private static let darkSurfaces = [
        ToneColour(lightness: 0.23, chroma: 0.016, hue: 255).colour, ToneColour(lightness: 0.19, chroma: 0.015, hue: 255).colour,
        ToneColour(lightness: 0.165, chroma: 0.014, hue: 255).colour
    ]

    private static func scheme(
        _ chosen: Colour, _ tone: ToneColour, softLightness: Double, softChroma: Double, surfaces: [Colour], step: Double
    ) -> Scheme {
        let soft = ToneColour(lightness: softLightness, chroma: min(tone.chroma, softChroma), hue: tone.hue).colour
        var shade = tone
        var text = chosen
        while (surfaces + [soft]).contains(where: { text.contrast(with: $0) < contrastLeast }), (0...1).contains(shade.lightness) {
            shade.lightness += step
            text = ToneColour(lightness: min(max(shade.lightness, 0), 1), chroma: tone.chroma, hue: tone.hue).colour
        }
        // On a dark sheet a dark button would not be seen: there it is filled with the shade of the text.
        let fill = chosen.contrast(with: surfaces[0]) < Self.visible ? text : chosen
        let ink = fill.contrast(with: .white) >= fill.contrast(with: .black) ? Colour.white : .black
        return Scheme(fill: fill, fillInk: ink, text: text, soft: soft, contrast: chosen.contrast(with: surfaces[0]))
    }

    /// Below this a button and the sheet behind it look alike.
    private static let visible = 1.3

    /// Sets the names of `tokens.css` anew.
    var styleSheet: String {
        func pair(_ part: KeyPath<Scheme, Colour>) -> String { "light-dark(\(light[keyPath: part].hex), \(dark[keyPath: part].hex))" }
        return """
            @layer tokens {
              :root {
                --accent: \(pair(\.text));
                --accent-soft: \(pair(\.soft));
                --fill: \(pair(\.fill));
                --fill-ink: \(pair(\.fillInk));
              }
            }

            """
    }
}
