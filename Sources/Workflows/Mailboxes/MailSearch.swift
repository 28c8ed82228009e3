internal import Kernel

/// What a person wants of a mailbox, in the list that n8n takes (`["UNSEEN", ["SINCE", "2026-03-01"]]`), as the words of an IMAP search.
enum MailSearch {
    private static let flags: Set<String> = [
        "ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "NEW", "SEEN", "RECENT", "OLD", "UNANSWERED", "UNDELETED", "UNDRAFT", "UNFLAGGED", "UNSEEN"
    ]
    private static let texts: Set<String> = ["BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO"]
    private static let keywords: Set<String> = ["KEYWORD", "UNKEYWORD"]
    private static let dates: Set<String> = ["BEFORE", "ON", "SENTBEFORE", "SENTON", "SENTSINCE", "SINCE"]
    private static let sizes: Set<String> = ["LARGER", "SMALLER"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    static let criteriaMaximum = 100

    /// - Throws: `invalid_parameter`.
    static func words(_ text: String) throws -> [ImapClient.Word] {
        guard let list = (try? JSON(parsing: Array(text.utf8)))?.array, !list.isEmpty, list.count <= criteriaMaximum else {
            throw fault("The rules are a JSON list, such as [\"UNSEEN\"].")
        }
        return try list.flatMap { try criterion($0, depth: 0) }
    }

    private static func fault(_ message: String) -> StepFailure { StepFailure.invalid("options.customEmailConfig", message) }

    private static func criterion(_ value: JSON, depth: Int) throws -> [ImapClient.Word] {
        guard depth < 5 else { throw fault("The rules lie too deep in one another.") }
        let parts = value.array ?? [value]
        guard var name = parts.first?.text?.uppercased() else {
            throw fault("A rule begins with its name, such as \"UNSEEN\" or [\"FROM\", \"a@b.c\"].")
        }
        var words: [ImapClient.Word] = []
        if name.hasPrefix("!") {
            words.append(.plain("NOT"))
            name.removeFirst()
        }
        func argument(_ index: Int) throws -> JSON {
            guard parts.count == index + 1 || name == "HEADER" || name == "OR", parts.indices.contains(index) else {
                throw fault("The rule \(name) takes one value.")
            }
            return parts[index]
        }
        switch name {
        case _ where flags.contains(name): words.append(.plain(name))
        case _ where texts.contains(name): words += [.plain(name), .text(try argument(1).displayText)]
        case _ where keywords.contains(name):
            let keyword = try argument(1).displayText
            guard !keyword.isEmpty, keyword.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "$_-.".contains($0)) }) else {
                throw fault("'\(keyword)' is no keyword.")
            }
            words += [.plain(name), .plain(keyword)]
        case _ where dates.contains(name): words += [.plain(name), .plain(try date(argument(1)))]
        case _ where sizes.contains(name):
            guard let size = Int(try argument(1).displayText), size >= 0 else { throw fault("\(name) takes a number of bytes.") }
            words += [.plain(name), .plain("\(size)")]
        case "HEADER":
            guard parts.count == 3 else { throw fault("HEADER takes a name and a text.") }
            words += [.plain(name), .text(try argument(1).displayText), .text(try argument(2).displayText)]
        case "UID":
            let set = try argument(1).displayText
            guard !set.isEmpty, set.allSatisfy({ $0.isASCII && ($0.isNumber || ":,*".contains($0)) }) else {
                throw fault("'\(set)' is no set of UIDs.")
            }
            words += [.plain(name), .plain(set)]
        case "OR":
            guard parts.count == 3 else { throw fault("OR takes two rules.") }
            words.append(.plain(name))
            for part in parts.dropFirst() { words += try criterion(part, depth: depth + 1) }
        default: throw fault("There is no rule '\(name)'.")
        }
        return words
    }

    private static func date(_ value: JSON) throws -> String {
        if let text = value.text, let match = text.wholeMatch(of: /\s*([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\s*/) {
            let month = match.output.1.prefix(1).uppercased() + match.output.1.dropFirst().lowercased()
            if months.contains(month) { return "\(match.output.2)-\(month)-\(match.output.3)" }
        }
        guard let time = LooseTime.parse(value, timeZone: "UTC") else {
            throw fault("'\(value.displayText)' is no date that is understood here; write it as 2026-03-01.")
        }
        let (year, month, day) = Timestamp.civil(fromDays: time.seconds.flooringDivision(86_400))
        guard (1...9_999).contains(year) else { throw fault("'\(value.displayText)' is no date that a mail server knows.") }
        return "\(day)-\(months[Int(month) - 1])-\(year)"
    }
}
