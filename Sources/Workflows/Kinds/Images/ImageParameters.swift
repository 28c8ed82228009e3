internal import Kernel

/// Parameters of the image kinds, by n8n's names and defaults (Edit Image, version 1).
enum ImageParameters {
    static let operations: [Parameter.Option] = [
        .init("blur", "Blur"), .init("border", "Border"), .init("composite", "Composite"), .init("create", "Create"), .init("crop", "Crop"),
        .init("draw", "Draw"), .init("resize", "Resize"), .init("rotate", "Rotate"), .init("shear", "Shear"), .init("text", "Text"),
        .init("transparent", "Transparent")
    ]

    private static let colorHelp = "#RRGGBB, #RRGGBBAA where 00 is opaque and FF is transparent, or a name such as white."

    /// What each operation takes.
    static let fields: [Parameter] =
        of(
            "create", color("backgroundColor", "Background", "#ffffff00"), number("width", "Width", 50), number("height", "Height", 50))
        + of(
            "draw",
            Parameter(
                "primitive", .options, "Shape", default: "rectangle",
                options: [.init("circle", "Circle"), .init("line", "Line"), .init("rectangle", "Rectangle")]),
            color("color", "Color", "#ff000000"), number("startPositionX", "Start, from the left", 50),
            number("startPositionY", "Start, from the top", 50), number("endPositionX", "End, from the left", 250),
            number("endPositionY", "End, from the top", 250))
        + [number("cornerRadius", "Corner radius", 0, when: ["operation": ["draw"], "primitive": ["rectangle"]])]
        + of(
            "text", Parameter("text", .text, "Text", default: ""), number("fontSize", "Font size", 18), color("fontColor", "Font color", "#000000"),
            number("positionX", "From the left", 50), number("positionY", "From the top", 50, help: "Where the first line stands."),
            number("lineLength", "Longest line", 80, help: "In characters; longer lines are broken between words."))
        + of("blur", number("blur", "Blur", 5, help: "In pixels, up to 1000."), number("sigma", "Sigma", 2, help: "Up to 1000."))
        + of(
            "border", number("borderWidth", "Width", 10), number("borderHeight", "Height", 10), color("borderColor", "Color", "#000000"))
        + of(
            "composite",
            Parameter(
                "dataPropertyNameComposite", .string, "File field of the image on top", help: "The field of the item that holds the second image.",
                default: "", required: true),
            Parameter("operator", .options, "Operator", default: "Over", options: operators),
            number("positionX", "From the left", 0), number("positionY", "From the top", 0))
        + of(
            "crop", number("width", "Width", 500), number("height", "Height", 500), number("positionX", "From the left", 0),
            number("positionY", "From the top", 0))
        + of(
            "resize", number("width", "Width", 500), number("height", "Height", 500),
            Parameter(
                "resizeOption", .options, "How", default: "maximumArea",
                options: [
                    .init("ignoreAspectRatio", "Exactly this size"), .init("maximumArea", "At most this area"),
                    .init("minimumArea", "At least this size"), .init("onlyIfLarger", "Into this size, if larger"),
                    .init("onlyIfSmaller", "Into this size, if smaller"), .init("percent", "By percent")
                ]))
        + of(
            "rotate", number("rotate", "Degrees", 0, help: "Clockwise, from -360 to 360."), color("backgroundColor", "Background", "#ffffffff"))
        + of("shear", number("degreesX", "Degrees, horizontally", 0), number("degreesY", "Degrees, vertically", 0))
        + of("transparent", color("color", "Color", "#ff0000"))

    static let font = Parameter(
        "font", .string, "Font", help: "The name or the file of a font that is installed on the server.", default: "default",
        showWhen: ["operation": ["text"]])

    static let options = Parameter(
        "options", .collection, "Options", default: .init([:]),
        fields: [
            Parameter("fileName", .string, "File name", default: ""), font,
            Parameter(
                "format", .options, "Format", help: "Where it is left out, that of the image; PNG for a new one.", default: "jpeg",
                options: ["bmp", "gif", "jpeg", "png", "tiff", "webp"].map { .init(.init(.string($0)), $0.uppercased()) }),
            Parameter("quality", .number, "Quality", help: "0 to 100 (best), for JPEG, PNG, TIFF and WebP.", default: 100)
        ],
        showWhen: ["operation": .init(operations.map(\.value)) + ["multiStep"]])

    private static let operators: [Parameter.Option] = [
        ("Add", "Add"), ("Atop", "Atop"), ("Bumpmap", "Bumpmap"), ("Copy", "Copy"), ("CopyBlack", "Copy black"), ("CopyBlue", "Copy blue"),
        ("CopyCyan", "Copy cyan"), ("CopyGreen", "Copy green"), ("CopyMagenta", "Copy magenta"), ("CopyOpacity", "Copy opacity"),
        ("CopyRed", "Copy red"), ("CopyYellow", "Copy yellow"), ("Difference", "Difference"), ("Divide", "Divide"), ("In", "In"), ("Minus", "Minus"),
        ("Multiply", "Multiply"), ("Out", "Out"), ("Over", "Over"), ("Plus", "Plus"), ("Subtract", "Subtract"), ("Xor", "Xor")
    ].map { .init(.init(.string($0.0)), $0.1) }

    private static func of(_ operation: JSONText, _ parameters: Parameter...) -> [Parameter] {
        parameters.map { parameter in
            var parameter = parameter
            parameter.showWhen = ["operation": [operation]]
            return parameter
        }
    }

    private static func number(_ name: String, _ label: String, _ value: Int, help: String? = nil, when showWhen: Parameter.ShowWhen = [:])
        -> Parameter
    {
        Parameter(name, .number, label, help: help, default: .init(.number(Double(value))), showWhen: showWhen)
    }

    private static func color(_ name: String, _ label: String, _ value: JSONText) -> Parameter {
        Parameter(name, .string, label, help: colorHelp, default: value)
    }
}
