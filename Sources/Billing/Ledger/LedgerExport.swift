internal import Foundation
internal import Kernel
internal import Persistence

extension Ledger {
    static let exportRowsMaximum = 200_000

    /// All postings in their order, a line for each transfer, then the seals that cover them: what an auditor needs to reckon both again.
    /// - Throws: `too_large` beyond `exportRowsMaximum` transfers.
    func csv() async throws -> String {
        try await database.readPlatform { tx in
            let store = LedgerStore(tx: tx)
            var lines = ["record,id,key,kind,subject,at,reverses,digest,debit,credit,currency,amount"]
            var last: Posting?
            while true {
                let part = try store.postings(from: .init(microseconds: 0), to: Timestamp(seconds: 253_402_300_799), after: last, limit: Self.part)
                for posting in part { lines += posting.transfers.map { Self.line(posting, $0) } }
                guard lines.count <= Self.exportRowsMaximum else {
                    throw Refusal(.tooLarge, "too_large", "The ledger has more than \(Self.exportRowsMaximum) transfers; export it from a backup.")
                }
                guard part.count == Self.part else { break }
                last = part.last
            }
            for seal in try store.seals(after: "", limit: Self.exportRowsMaximum) {
                lines.append("seal,\(seal.day),,,,,,\(seal.hash),,,,\(seal.postings)")
            }
            return lines.joined(separator: "\r\n") + "\r\n"
        }
    }

    private static func line(_ posting: Posting, _ transfer: Transfer) -> String {
        [
            "transfer", posting.id.description, posting.key, posting.kind, posting.subject, posting.at.description,
            posting.reverses?.description ?? "", posting.digest, transfer.debit.name, transfer.credit.name, transfer.debit.currency,
            String(transfer.amount)
        ].map(quoted).joined(separator: ",")
    }

    /// RFC 4180; a text that a spreadsheet would take for a formula is kept from that.
    private static func quoted(_ text: String) -> String {
        let safe = text.first.map { "=+-@".contains($0) } == true ? "'" + text : text
        return safe.contains { "\",\r\n".contains($0) } ? "\"\(safe.replacing("\"", with: "\"\""))\"" : safe
    }
}
