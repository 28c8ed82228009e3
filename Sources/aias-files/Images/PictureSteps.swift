internal import Kernel

/// Changes of an image, one after the other, with the parameters that n8n's Edit Image node gives them.
struct PictureSteps {
    let request: Wire.Message

    /// `steps`: `{operation, …}` each; the first file is the image, unless the first step makes one; `composite` names another file by
    /// its number in `file`.
    func run() throws -> Wire.Message {
        let steps = (request.head["steps"]?.array ?? []).map { Step($0.object ?? [:]) }
        guard let first = steps.first else { throw Fault("invalid_parameter", "there is no operation; add one to the list") }
        let picture: Picture
        if first.operation == "create" {
            picture = try Picture(width: first.pixels("width"), height: first.pixels("height"), color: first.text("backgroundColor"))
        } else {
            picture = try Picture(reading: request.file())
        }
        let given = picture.format
        // Where an operation shows more than there was, nothing is there.
        try picture.mogrify(["-background", "transparent"])
        for step in first.operation == "create" ? steps.dropFirst() : steps[...] { try perform(step, on: picture) }
        let name = request.text("format")
        guard let format = name.isEmpty ? given ?? .png : Picture.Format(rawValue: name) else {
            throw Fault("invalid_parameter", "'\(name)' is no format; choose bmp, gif, jpeg, png, tiff or webp")
        }
        let quality = request.head["quality"]?.integer
        guard quality.map({ (0...100).contains($0) }) ?? true else { throw Fault("invalid_parameter", "the quality is a number from 0 to 100") }
        let file = Wire.File(name: "", bytes: try picture.file(format, quality: quality))
        let head: JSONObject = [
            "format": .string(format.rawValue), "width": .number(Double(picture.width)), "height": .number(Double(picture.height))
        ]
        return Wire.Message(head: head, files: [file])
    }

    private func perform(_ step: Step, on picture: Picture) throws {
        switch step.operation {
        case "blur": try picture.mogrify(["-blur", "\(step.number("blur", 0...1_000))x\(step.number("sigma", 0...1_000))"])
        case "border": try border(step, picture)
        case "composite": try composite(step, picture)
        case "create": throw Fault("invalid_parameter", "an image can be created by the first operation only")
        case "crop":
            let place = try "\(signed(step.offset("positionX")))\(signed(step.offset("positionY")))"
            try picture.mogrify(["-crop", "\(step.pixels("width"))x\(step.pixels("height"))\(place)", "+page"])
        case "draw": try draw(step, picture)
        case "resize": try resize(step, picture)
        case "rotate":
            let background = step.text("backgroundColor")
            try Picture.check(color: background)
            try picture.mogrify(["-background", background, "-rotate", "\(step.number("rotate", -360...360))", "+page"])
        case "shear":
            let degrees = -89.0...89.0
            try picture.mogrify(["-shear", "\(step.number("degreesX", degrees))x\(step.number("degreesY", degrees))", "+page"])
        case "text": try text(step, picture)
        case "transparent":
            let color = step.text("color")
            try Picture.check(color: color)
            try picture.mogrify(["-transparent", color])
        case let name: throw Fault("invalid_parameter", "there is no operation '\(name)'")
        }
    }

    private func border(_ step: Step, _ picture: Picture) throws {
        let color = step.text("borderColor")
        let (width, height) = (try step.pixels("borderWidth", atLeast: 0), try step.pixels("borderHeight", atLeast: 0))
        try Picture.check(color: color)
        try Picture.check(width: picture.width + 2 * width, height: picture.height + 2 * height)
        try picture.mogrify(["-bordercolor", color, "-border", "\(width)x\(height)"])
    }

    private func composite(_ step: Step, _ picture: Picture) throws {
        let index = step.members["file"]?.integer ?? 0
        guard request.files.indices.contains(index) else { throw Fault("bad_request", "the image to put on top is missing") }
        let name = step.text("operator")
        guard Self.operators.contains(name) else { throw Fault("invalid_parameter", "there is no operator '\(name)'; choose one of the list") }
        let top = try Picture(reading: request.files[index].bytes)
        try picture.put(top, operator: name, x: step.offset("positionX"), y: step.offset("positionY"))
    }

    private static let operators: Set<String> = [
        "Add", "Atop", "Bumpmap", "Copy", "CopyBlack", "CopyBlue", "CopyCyan", "CopyGreen", "CopyMagenta", "CopyOpacity", "CopyRed", "CopyYellow",
        "Difference", "Divide", "In", "Minus", "Multiply", "Out", "Over", "Plus", "Subtract", "Xor"
    ]

    private func draw(_ step: Step, _ picture: Picture) throws {
        let color = step.text("color")
        try Picture.check(color: color)
        let place = -1_000_000.0...1_000_000.0
        let start = try "\(step.number("startPositionX", place)),\(step.number("startPositionY", place))"
        let end = try "\(step.number("endPositionX", place)),\(step.number("endPositionY", place))"
        let shape: String
        switch step.text("primitive") {
        case "line", "circle": shape = "\(step.text("primitive")) \(start) \(end)"
        case "rectangle":
            let radius = try step.number("cornerRadius", 0...1_000_000)
            shape = radius > 0 ? "roundRectangle \(start) \(end) \(radius),\(radius)" : "rectangle \(start) \(end)"
        case let name: throw Fault("invalid_parameter", "'\(name)' cannot be drawn; choose line, circle or rectangle")
        }
        try picture.mogrify(["-fill", color, "-draw", shape])
    }

    /// GraphicsMagick's signs behind a size.
    private static let signs = [
        "ignoreAspectRatio": "!", "maximumArea": "@", "minimumArea": "^", "onlyIfLarger": ">", "onlyIfSmaller": "<", "percent": "%"
    ]

    private func resize(_ step: Step, _ picture: Picture) throws {
        let option = step.text("resizeOption")
        guard let sign = Self.signs[option] else {
            throw Fault("invalid_parameter", "there is no option '\(option)' to resize; choose one of the list")
        }
        let (width, height) = (try step.pixels("width"), try step.pixels("height"))
        if option == "percent" {
            try Picture.check(width: picture.width * width / 100 + 1, height: picture.height * height / 100 + 1)
        } else {
            try Picture.check(width: width, height: height)
        }
        try picture.mogrify(["-resize", "\(width)x\(height)\(sign)"])
    }

    private func text(_ step: Step, _ picture: Picture) throws {
        let place = -1_000_000.0...1_000_000.0
        let lines = Self.lines(step.text("text"), length: try step.pixels("lineLength"))
        guard !lines.utf8.contains(0), lines.utf8.count <= 64 << 10 else { throw Fault("invalid_parameter", "the text is too long for an image") }
        guard !lines.isEmpty else { return }
        let font = try FontFiles.find(step.text("font"))
        try picture.write(
            lines, font: font, size: step.number("fontSize", 1...10_000), color: step.text("fontColor"), x: step.number("positionX", place),
            y: step.number("positionY", place))
    }

    /// Broken between words, at most `length` characters a line, and at `\n` as GraphicsMagick does.
    static func lines(_ text: String, length: Int) -> String {
        var lines: [String] = []
        let broken = text.replacing("\r\n", with: "\n").replacing("\\n", with: "\n")
        for given in broken.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            for word in given.split(separator: " ", omittingEmptySubsequences: false) {
                if !line.isEmpty, line.utf16.count + 1 + word.utf16.count >= length {
                    lines.append(line)
                    line = ""
                }
                line += line.isEmpty ? String(word) : " \(word)"
            }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }

    private func signed(_ offset: Int) -> String { offset < 0 ? "\(offset)" : "+\(offset)" }

    /// One operation's parameters.
    private struct Step {
        let members: JSONObject
        init(_ members: JSONObject) { self.members = members }
        var operation: String { text("operation") }
        func text(_ name: String) -> String { members[name]?.text ?? "" }

        func number(_ name: String, _ range: ClosedRange<Double>) throws -> Double {
            guard case .number(let value)? = members[name], range.contains(value) else {
                throw Fault("invalid_parameter", "'\(name)' must be a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
            }
            return value
        }

        func pixels(_ name: String, atLeast least: Int = 1) throws -> Int {
            Int(try number(name, Double(least)...1_000_000).rounded())
        }

        func offset(_ name: String) throws -> Int { Int(try number(name, -1_000_000...1_000_000).rounded()) }
    }
}
