internal import Crypto
internal import Foundation
internal import Kernel

/// Reads the incoming lines of bank statements.
enum Statement {
    static let linesMaximum = 10_000

    /// CSV with a first line that names the columns `id`, `amount`, `currency` and `text` in any order, by comma or semicolon; others are passed over.
    /// - Throws: `bad_statement` with the line.
    static func csv(_ text: String) throws -> [StatementLine] {
        let first = text.prefix { !$0.isNewline }
        let comma: Character = first.contains(";") ? ";" : ","
        var rows = try fields(text, comma)
        guard !rows.isEmpty else { throw fault(1, "is empty") }
        let names = rows.removeFirst().map { $0.lowercased() }
        func place(_ name: String) throws -> Int {
            guard let place = names.firstIndex(of: name) else { throw fault(1, "names no column \(name)") }
            return place
        }
        let (id, amount, currency, words) = (try place("id"), try place("amount"), try place("currency"), try place("text"))
        guard rows.count <= linesMaximum else { throw fault(linesMaximum, "is one too many") }
        return try rows.enumerated().map { index, row in
            guard row.count == names.count else { throw fault(index + 2, "has \(row.count) fields instead of \(names.count)") }
            guard let money = Money(decimal: row[amount], currency: try AmountBounds.checkedCurrency(row[currency])) else {
                throw fault(index + 2, "has an amount that is no number")
            }
            return try line(row[id], money, row[words], index + 2)
        }
    }

    fileprivate static func line(_ id: String, _ money: Money, _ text: String, _ number: Int) throws -> StatementLine {
        guard (1...Posting.keyLengthMaximum / 2).contains(id.utf8.count) else { throw fault(number, "has no id, or too long a one") }
        return StatementLine(id: id, amount: money.minorUnits, currency: money.currency, text: text)
    }

    /// RFC 4180: quotes around a field, doubled inside.
    private static func fields(_ text: String, _ comma: Character) throws -> [[String]] {
        var (rows, row, field): ([[String]], [String], String) = ([], [], "")
        var isQuoted = false
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if isQuoted {
                if character != "\"" {
                    field.append(character)
                } else if rest.first == "\"" {
                    field.append(rest.removeFirst())
                } else {
                    isQuoted = false
                }
            } else if character == "\"", field.isEmpty {
                isQuoted = true
            } else if character == comma {
                row.append(field)
                field = ""
            } else if character.isNewline {
                if !row.isEmpty || !field.isEmpty { rows.append(row + [field]) }
                (row, field) = ([], "")
            } else {
                field.append(character)
            }
        }
        guard !isQuoted else { throw fault(rows.count + 1, "ends within quotes") }
        if !row.isEmpty || !field.isEmpty { rows.append(row + [field]) }
        return rows
    }

    static func fault(_ line: Int, _ text: String) -> Refusal {
        Refusal(.invalid, "bad_statement", "Line \(line) of the statement \(text).", field: "statement")
    }
}

extension Statement {
    /// - Throws: `unknown_format`, `bad_statement`
    static func read(_ text: String, format: String) throws -> [StatementLine] {
        switch format {
        case "csv": try csv(text)
        case "camt.053": try camt(text)
        default: throw Refusal.invalid("format", "unknown_format", "format is csv or camt.053.")
        }
    }

    /// ISO 20022 camt.053, any version: booked entries that credit the account. Each entry's details carry what the payers wrote.
    private static func camt(_ text: String) throws -> [StatementLine] {
        // A document type would let a statement name files and expand entities.
        guard !text.contains("<!DOCTYPE"), !text.contains("<!ENTITY") else { throw fault(1, "declares a document type") }
        var lines: [StatementLine] = []
        var number = 0
        var known: [String: Int] = [:]
        let statements = elements("Stmt", in: text[...])
        for statement in statements.isEmpty ? [text[...]] : statements {
            for entry in elements("Ntry", in: statement) {
                number += 1
                let head = entry.range(of: "<NtryDtls").map { entry[..<$0.lowerBound] } ?? entry
                guard value("CdtDbtInd", in: head) == "CRDT", value("RvslInd", in: head) != "true" else { continue }
                let status = elements("Sts", in: head).first.map { value("Cd", in: $0) ?? String($0) } ?? "BOOK"
                guard status.trimmingCharacters(in: .whitespacesAndNewlines) == "BOOK" else { continue }
                guard let open = head.range(of: "<Amt Ccy=\""), let amount = value("Amt", in: head) else { throw fault(number, "has no amount") }
                let currency = try AmountBounds.checkedCurrency(String(head[open.upperBound...].prefix(3)))
                guard let money = Money(decimal: amount, currency: currency) else { throw fault(number, "has an amount that is no number") }
                let words = elements("Ustrd", in: entry) + elements("Ref", in: entry) + elements("EndToEndId", in: entry)
                let wording = words.map { plain($0) }.joined(separator: " ")
                if let reference = value("AcctSvcrRef", in: entry), !noReferences.contains(reference.uppercased()) {
                    lines.append(try line(reference, money, wording, number))
                } else {
                    lines.append(try line(without: entry, of: statement, money, wording, number, &known))
                }
                guard lines.count <= linesMaximum else { throw fault(number, "is one too many") }
            }
        }
        return lines
    }

    /// What banks write where they have no reference.
    private static let noReferences: Set<String> = ["", "NONREF", "NOTPROVIDED"]

    /// A line of an entry to which its bank gives no reference of its own; `NtryRef` is none, since it counts anew with each statement. All that
    /// tells the entry apart stands for it, and which one of those of its day it is that do not differ: two are two, and one that another statement
    /// brings again is the same.
    /// - Parameter known: how many do not differ so far.
    private static func line(
        without entry: Substring, of statement: Substring, _ money: Money, _ text: String, _ number: Int, _ known: inout [String: Int]
    ) throws -> StatementLine {
        let head = statement.range(of: "<Ntry").map { statement[..<$0.lowerBound] } ?? statement
        let days: [Substring] = elements("BookgDt", in: entry) + elements("ValDt", in: entry)
        let day: String? = days.first.flatMap { value("Dt", in: $0) ?? value("DtTm", in: $0) }
        let account: String = value("IBAN", in: head) ?? elements("Acct", in: head).first.flatMap { value("Id", in: $0) } ?? ""
        // Without a day it is one of its statement.
        var facts: [String] = [account, day ?? value("Id", in: head) ?? "", money.decimalText, money.currency]
        for name in distinctions { facts += [name] + elements(name, in: entry).map(plain) }
        let digest = SHA256.hash(data: Array(facts.joined(separator: "\n").utf8)).hexText
        let date: String = day.map { String($0.prefix(10)) } ?? "undated"
        let name = "\(date)/\(money.decimalText)/\(digest.prefix(32))"
        known[name, default: 0] += 1
        var made = try line("\(name)/\(known[name] ?? 1)", money, text, number)
        if let former = value("AcctSvcrRef", in: entry) ?? value("NtryRef", in: entry), let start = Timestamp("\(date)T00:00:00Z") {
            made.former = StatementLine.Former(id: former, bookedAt: start)
        }
        return made
    }

    private static let distinctions = [
        "BookgDt", "ValDt", "MsgId", "InstrId", "EndToEndId", "TxId", "UETR", "IBAN", "Nm", "Ustrd", "Ref", "AddtlNtryInf", "AddtlTxInf"
    ]

    /// The contents of the elements of a name that do not nest, prefixes of namespaces left out of account by no bank that follows the schema.
    private static func elements(_ name: String, in text: Substring) -> [Substring] {
        var (found, rest): ([Substring], Substring) = ([], text)
        while let open = rest.range(of: "<\(name)") {
            rest = rest[open.upperBound...]
            guard let first = rest.first, first == ">" || first.isWhitespace, let start = rest.firstIndex(of: ">"),
                let close = rest.range(of: "</\(name)>")
            else { continue }
            found.append(rest[rest.index(after: start)..<close.lowerBound])
            rest = rest[close.upperBound...]
        }
        return found
    }

    private static func value(_ name: String, in text: Substring) -> String? { elements(name, in: text).first.map(plain) }

    private static func plain(_ text: Substring) -> String {
        text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"").replacing("&apos;", with: "'")
            .replacing("&amp;", with: "&").trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
