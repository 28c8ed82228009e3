internal import Kernel

/// What a form sends: fields, and files where it has any (RFC 7578).
package struct SubmittedForm: Sendable {
    package struct File: Sendable {
        package var field: String
        package var name: String
        package var type: String
        package var bytes: [UInt8]
    }

    package private(set) var values: [(name: String, value: String)] = []
    package private(set) var files: [File] = []

    /// - Throws: `malformed_form`, `unsupported_media_type`.
    package init(_ call: EndpointCall) throws {
        let type = call.header("Content-Type") ?? ""
        guard type.lowercased().hasPrefix("multipart/form-data") else {
            values = try call.form().pairs
            return
        }
        guard let boundary = SubmittedForm.parameter("boundary", of: type), !boundary.isEmpty, boundary.utf8.count <= 200 else {
            throw SubmittedForm.malformed
        }
        try read(call.body, boundary: Array("--\(boundary)".utf8))
    }

    /// All values of a field, in order.
    package func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }
    package func files(of name: String) -> [File] { files.filter { $0.field == name } }

    private mutating func read(_ body: [UInt8], boundary: [UInt8]) throws {
        guard var place = SubmittedForm.find(boundary, in: body, from: 0) else { throw SubmittedForm.malformed }
        place += boundary.count
        let separator = [13, 10] + boundary
        while true {
            // "--" after a boundary ends the body.
            if place + 1 < body.count, body[place] == 45, body[place + 1] == 45 { return }
            guard place + 1 < body.count, body[place] == 13, body[place + 1] == 10 else { throw SubmittedForm.malformed }
            place += 2
            guard let headEnd = SubmittedForm.find([13, 10, 13, 10], in: body, from: place), headEnd - place <= 8_192,
                let end = SubmittedForm.find(separator, in: body, from: headEnd + 2)
            else { throw SubmittedForm.malformed }
            let content = headEnd + 4 <= end ? body[(headEnd + 4)..<end] : []
            try add(String(decoding: body[place..<headEnd], as: UTF8.self), content)
            place = end + separator.count
        }
    }

    private mutating func add(_ head: String, _ content: ArraySlice<UInt8>) throws {
        var disposition = ""
        var type = "application/octet-stream"
        for line in head.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = String(parts[1].drop { $0 == " " })
            switch parts[0].lowercased() {
            case "content-disposition": disposition = value
            case "content-type": type = value
            default: break
            }
        }
        guard let name = SubmittedForm.parameter("name", of: disposition) else { throw SubmittedForm.malformed }
        if let file = SubmittedForm.parameter("filename", of: disposition) {
            // A file field without a file sends an empty one.
            if file.isEmpty, content.isEmpty { return }
            guard files.count < Limits.formFiles else { throw SubmittedForm.malformed }
            let base = file.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? "file"
            files.append(File(field: name, name: base, type: String(type.prefix { $0 != ";" }), bytes: Array(content)))
        } else {
            guard values.count < 10_000, let text = String(validating: content, as: UTF8.self), !text.utf8.contains(0) else {
                throw SubmittedForm.malformed
            }
            values.append((name, text))
        }
    }

    /// A quoted or bare parameter of a header; browsers escape quotes as %22, other programs by a backslash.
    package static func parameter(_ name: String, of header: String) -> String? {
        for part in parts(of: header).dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].drop(while: { $0 == " " }).lowercased() == name else { continue }
            var value = pair[1]
            if value.hasPrefix("\""), value.hasSuffix("\""), value.count >= 2 { value = value.dropFirst().dropLast() }
            return String(value).replacing("%22", with: "\"").replacing("\\\"", with: "\"")
        }
        return nil
    }

    /// What stands between semicolons; one within quotes belongs to the text there.
    private static func parts(of header: String) -> [Substring] {
        var parts: [Substring] = []
        var (start, previous, isQuoted): (String.Index, Character, Bool) = (header.startIndex, " ", false)
        for index in header.indices {
            let character = header[index]
            if character == "\"", previous != "\\" { isQuoted.toggle() }
            if character == ";", !isQuoted {
                parts.append(header[start..<index])
                start = header.index(after: index)
            }
            previous = character
        }
        return parts + [header[start...]]
    }

    static func find(_ pattern: [UInt8], in body: [UInt8], from start: Int) -> Int? {
        guard pattern.count <= body.count, start <= body.count - pattern.count, start >= 0 else { return nil }
        let first = pattern[0]
        var place = start
        return body.withUnsafeBufferPointer { body in
            while place <= body.count - pattern.count {
                if body[place] == first {
                    var index = 1
                    while index < pattern.count, body[place + index] == pattern[index] { index += 1 }
                    if index == pattern.count { return place }
                }
                place += 1
            }
            return nil
        }
    }

    private static let malformed = Refusal(.malformed, "malformed_form", "The form cannot be read.")
}

extension Limits {
    /// Files of one form.
    package static let formFiles = 50
}
