internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// An invoice as a page to be printed: of itself, with its styles within, and without scripts, links and pictures.
struct InvoiceDocument {
    let invoice: Invoice
    /// What a credit note takes back from, which it has to name.
    var corrected: Invoice?
    let text: Localizer

    var html: String { "<!DOCTYPE html>\n" + page.text }

    private var page: HTML {
        let title = text("billing.invoice.title.\(invoice.kind.rawValue)", ["number": invoice.numberText])
        let due: HTML? = invoice.kind == .invoice ? row("billing.invoice.due_at", day(invoice.dueAt)) : nil
        let corrects: HTML? = corrected.map { row("billing.invoice.corrects", $0.numberText) }
        let reverse: HTML? = invoice.treatment == .reverseCharge ? "<p class=\"note\">\(text("billing.invoice.reverse_charge"))</p>" : nil
        return """
            <html lang="\(text.language)" dir="\(text.direction)"><head><meta charset="utf-8"><title>\(title)</title>
            <meta name="author" content="\(invoice.seller.name)"><style>\(Self.styles)</style></head><body>
            <header><p class="from">\(line(invoice.seller))</p><h1>\(title)</h1></header>
            <section class="parties"><div><h2>\(text("billing.invoice.buyer"))</h2><p>\(address(invoice.buyer))</p></div>
            <dl>\(row("billing.column.issued", day(invoice.issuedAt)))\(due)\(corrects)</dl></section>
            <table><thead><tr><th scope="col">\(text("billing.column.what"))</th><th scope="col">\(text("billing.column.quantity"))</th>
            <th scope="col">\(text("billing.column.amount"))</th><th scope="col">\(text("billing.column.tax"))</th>
            <th scope="col">\(text("billing.column.total"))</th></tr></thead><tbody>\(lines)</tbody></table>
            <dl class="sums">\(sums)</dl>\(reverse)
            <footer><p>\(text("billing.invoice.seller")): \(line(invoice.seller))\(invoice.seller.vatId.map { ", \($0)" } ?? "")</p></footer>
            </body></html>
            """
    }

    private var lines: [HTML] {
        invoice.lines.map { line in
            let name = line.charge.item?.name ?? text("tenancy.plan.\(line.charge.plan.rawValue)")
            let what = text(
                "billing.line.\(line.charge.item != nil && line.charge.kind == .overage ? "plan" : line.charge.kind.rawValue)", ["plan": name])
            let (start, end) = (day(line.charge.period.start), day(line.charge.period.end))
            let time: HTML? = start == end ? nil : "<br><small>\(start) – \(end)</small>"
            return """
                <tr><td>\(what)\(time)</td><td>\(text.figure(line.charge.quantity))</td><td>\(money(line.net))</td><td>\(money(line.tax))</td><td>\(money(line.total))</td></tr>
                """
        }
    }

    private var sums: [HTML] {
        let due = invoice.kind == .invoice ? invoice.due : 0
        let all: [(String, Int64)] = [
            ("billing.sum.subtotal", invoice.subtotal), ("billing.sum.discount", -invoice.discount), ("billing.sum.tax", invoice.tax),
            ("billing.sum.total", invoice.total), ("billing.sum.paid", -invoice.paid), ("billing.sum.credited", -invoice.credited),
            ("billing.column.due", due)
        ]
        let always = ["billing.sum.total"] + (invoice.kind == .invoice ? ["billing.column.due"] : [])
        return all.filter { $0.1 != 0 || always.contains($0.0) }.map { key, units in
            entry(key == "billing.sum.tax" ? invoice.taxTitle(text) : text(key), "\(money(units)) \(invoice.currency)")
        }
    }

    private func row(_ key: String, _ value: String) -> HTML { entry(text(key), value) }
    private func entry(_ title: String, _ value: String) -> HTML { "<div><dt>\(title)</dt><dd>\(value)</dd></div>" }
    private func money(_ units: Int64) -> String { text.amount(units, invoice.currency) }
    private func day(_ time: Timestamp) -> String { text.day(time) }
    private func line(_ party: Party) -> String { parts(party).joined(separator: ", ") }
    private func address(_ party: Party) -> [HTML] {
        (parts(party) + [party.vatId].compactMap { $0 }).enumerated().map { place, part in place == 0 ? "\(part)" : "<br>\(part)" }
    }
    private func parts(_ party: Party) -> [String] {
        [party.name, party.street, "\(party.postalCode) \(party.city)", party.country].filter { $0.contains { !$0.isWhitespace } }
    }

    private static let styles: HTML = """
        @page { size: A4; margin: 22mm 20mm; }
        body { font: 10pt/1.45 Inter, "DejaVu Sans", sans-serif; color: #16181d; margin: 0; }
        .from, small, footer { color: #5b6270; font-size: 8.5pt; } h1 { font-size: 18pt; margin: 10mm 0 6mm; } h2 { font-size: 9pt; margin: 0 0 1mm; color: #5b6270; }
        .parties { display: flex; justify-content: space-between; gap: 8mm; margin-bottom: 8mm; }
        .parties > div { flex: 1; } .parties p { margin: 0; } .parties dl { width: 62mm; }
        dl { margin: 0; } dl div { display: flex; justify-content: space-between; gap: 8mm; } dd { margin: 0; text-align: end; }
        table { width: 100%; border-collapse: collapse; } th, td { text-align: end; padding: 2mm 0 2mm 4mm; vertical-align: top; border-bottom: 0.3mm solid #d9dce2; }
        th:first-child, td:first-child { text-align: start; padding-left: 0; } th { font-size: 8.5pt; color: #5b6270; } thead { display: table-header-group; } tr { break-inside: avoid; }
        .sums { width: 75mm; margin: 6mm 0 0 auto; } .sums div { padding: 1mm 0; } .note { margin-top: 8mm; } footer { margin-top: 14mm; }
        """
}

extension Billing {
    /// - Throws: `printer_missing` where the deployment cannot print.
    func printed(_ invoice: Invoice, corrected: Invoice?, _ text: Localizer) async throws -> [UInt8] {
        guard let print else { throw Refusal(.unavailable, "printer_missing", "Pages cannot be printed here.") }
        return try await print(Array(InvoiceDocument(invoice: invoice, corrected: corrected, text: text).html.utf8))
    }
}
