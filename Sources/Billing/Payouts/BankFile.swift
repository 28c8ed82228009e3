internal import Kernel

/// Payouts as a bank takes them: ISO 20022 customer credit transfer initiation, pain.001.001.03, one payment of each currency.
enum BankFile {
    static func document(_ lines: [(payout: Payout, name: String, account: String)], from account: String, of party: Party, at now: Timestamp)
        -> String
    {
        let time = String(now.description.prefix(19))
        let id = "AIAS-\(now.seconds)"
        let currencies = Dictionary(grouping: lines, by: \.payout.currency).sorted { $0.key < $1.key }
        let payments = currencies.map { currency, lines in
            """
            <PmtInf><PmtInfId>\(id)-\(currency)</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>\(lines.count)</NbOfTxs><CtrlSum>\(sum(lines))</CtrlSum>\
            <ReqdExctnDt>\(time.prefix(10))</ReqdExctnDt><Dbtr><Nm>\(text(party.name, 70))</Nm></Dbtr>\
            <DbtrAcct><Id><IBAN>\(account)</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt>
            \(lines.map(transfer).joined(separator: "\n"))
            </PmtInf>
            """
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><CstmrCdtTrfInitn>
            <GrpHdr><MsgId>\(id)</MsgId><CreDtTm>\(time)</CreDtTm><NbOfTxs>\(lines.count)</NbOfTxs><InitgPty><Nm>\(text(party.name, 70))</Nm></InitgPty></GrpHdr>
            \(payments.joined(separator: "\n"))
            </CstmrCdtTrfInitn></Document>

            """
    }

    private static func transfer(_ line: (payout: Payout, name: String, account: String)) -> String {
        let amount = Money(minorUnits: line.payout.amount, currency: line.payout.currency)
        // An end-to-end id has 35 characters.
        let id = line.payout.id.description.filter { $0 != "-" }
        return """
            <CdtTrfTxInf><PmtId><EndToEndId>\(id)</EndToEndId></PmtId><Amt><InstdAmt Ccy="\(amount.currency)">\(amount.decimalText)</InstdAmt></Amt>\
            <Cdtr><Nm>\(text(line.name, 70))</Nm></Cdtr><CdtrAcct><Id><IBAN>\(line.account)</IBAN></Id></CdtrAcct>\
            <RmtInf><Ustrd>Payout \(id)</Ustrd></RmtInf></CdtTrfTxInf>
            """
    }

    private static func sum(_ lines: [(payout: Payout, name: String, account: String)]) -> String {
        Money(minorUnits: lines.reduce(0) { $0 + $1.payout.amount }, currency: lines.first?.payout.currency ?? "USD").decimalText
    }

    private static func text(_ text: String, _ length: Int) -> String {
        text.prefix(length).filter { $0.unicodeScalars.allSatisfy { $0.value >= 32 } }
            .replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
