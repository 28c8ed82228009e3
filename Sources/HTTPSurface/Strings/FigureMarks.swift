/// How a language writes numbers. Its marks stand among its texts, as `http.figure.group` and `http.figure.decimal`.
struct FigureMarks: Sendable, Hashable {
    /// Between groups of three digits.
    var group = ""
    /// Before the part of one.
    var decimal = "."

    /// A number as programs write it, such as `-12345.50`; what is none stays as it is.
    func text(_ plain: String) -> String {
        let sign = plain.hasPrefix("-") ? "-" : ""
        let parts = plain.dropFirst(sign.count).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ part in !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }) else {
            return plain
        }
        let digits = Array(parts[0])
        var whole = sign
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { whole += group }
            whole.append(digit)
        }
        return parts.count == 2 ? "\(whole)\(decimal)\(parts[1])" : whole
    }
}

extension Localizer {
    /// A number as people of the language write it: `12345.50` is `12,345.50` in English. Never for what a program reads, or a field to fill in holds.
    package func figure(_ plain: String) -> String { strings.marks(of: language).text(plain) }
    package func figure(_ number: some BinaryInteger) -> String { figure("\(number)") }
}
