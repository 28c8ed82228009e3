internal import Foundation
internal import Kernel
internal import Tenancy

/// An invoice or credit note as OASIS Universal Business Language 2.1, in the terms of EN 16931 (its core invoice) where both speak of the same.
enum UBL {
    /// - Parameter corrected: the invoice that a credit note takes back from.
    static func document(_ invoice: Invoice, corrected: Invoice? = nil) -> String {
        let isNote = invoice.kind == .creditNote
        let root = isNote ? "CreditNote" : "Invoice"
        let head = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<\(root) xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:\(root)-2\" xmlns:cac=\"\(aggregates)\" xmlns:cbc=\"\(basics)\">",
            tag("cbc:CustomizationID", "urn:cen.eu:en16931:2017"), tag("cbc:ID", invoice.numberText), tag("cbc:IssueDate", day(invoice.issuedAt)),
            isNote ? "" : tag("cbc:DueDate", day(invoice.dueAt)),
            tag(isNote ? "cbc:CreditNoteTypeCode" : "cbc:InvoiceTypeCode", isNote ? "381" : "380"),
            tag("cbc:DocumentCurrencyCode", invoice.currency), corrected.map(reference) ?? ""
        ]
        let body = [
            "<cac:AccountingSupplierParty>\(party(invoice.seller, on: invoice, isSeller: true))</cac:AccountingSupplierParty>",
            "<cac:AccountingCustomerParty>\(party(invoice.buyer, on: invoice, isSeller: false))</cac:AccountingCustomerParty>", taxes(invoice),
            totals(invoice)
        ]
        let lines = invoice.lines.enumerated().map { line($0.offset + 1, $0.element, invoice) }
        return (head + body + lines + ["</\(root)>"]).filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }

    private static let aggregates = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
    private static let basics = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"

    /// What a credit note takes back from is named (Directive 2006/112/EC, article 219; EN 16931, BG-3).
    private static func reference(_ invoice: Invoice) -> String {
        """
        <cac:BillingReference><cac:InvoiceDocumentReference>\(tag("cbc:ID", invoice.numberText))\(tag("cbc:IssueDate", day(invoice.issuedAt)))\
        </cac:InvoiceDocumentReference></cac:BillingReference>
        """
    }

    /// Where a sale is not subject to VAT no number for VAT may stand on its invoice (EN 16931, BR-O-02), and a seller without one is told by another
    /// identifier (BR-CO-26).
    private static func party(_ party: Party, on invoice: Invoice, isSeller: Bool) -> String {
        let vatID = invoice.treatment == .outsideScope ? nil : party.vatId
        let scheme = vatID.map {
            "<cac:PartyTaxScheme>\(tag("cbc:CompanyID", $0))<cac:TaxScheme>\(tag("cbc:ID", "VAT"))</cac:TaxScheme></cac:PartyTaxScheme>"
        }
        let identity =
            isSeller && vatID == nil ? "<cac:PartyIdentification>\(tag("cbc:ID", party.vatId ?? party.name))</cac:PartyIdentification>" : ""
        return """
            <cac:Party>\(identity)<cac:PartyName>\(tag("cbc:Name", party.name))</cac:PartyName><cac:PostalAddress>\(filled("cbc:StreetName", party.street))\
            \(filled("cbc:CityName", party.city))\(filled("cbc:PostalZone", party.postalCode))\
            <cac:Country>\(tag("cbc:IdentificationCode", party.country))</cac:Country></cac:PostalAddress>\(scheme ?? "")\
            <cac:PartyLegalEntity>\(tag("cbc:RegistrationName", party.name))</cac:PartyLegalEntity></cac:Party>
            """
    }

    private static func taxes(_ invoice: Invoice) -> String {
        """
        <cac:TaxTotal>\(amount("cbc:TaxAmount", invoice.tax, invoice))<cac:TaxSubtotal>\
        \(amount("cbc:TaxableAmount", invoice.subtotal - invoice.discount, invoice))\(amount("cbc:TaxAmount", invoice.tax, invoice))\
        <cac:TaxCategory>\(category(invoice, withReason: true))</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
        """
    }

    /// UNCL 5305: S standard rate, AE reverse charge, O outside the scope of tax.
    private static func category(_ invoice: Invoice, withReason: Bool) -> String {
        let (code, reason) =
            switch invoice.treatment {
            case .standard: ("S", "")
            case .reverseCharge: ("AE", "Reverse charge")
            case .outsideScope: ("O", "Not subject to VAT")
            }
        let percent =
            invoice.treatment == .outsideScope ? "" : tag("cbc:Percent", Money(minorUnits: Int64(invoice.rate.value), currency: "USD").decimalText)
        let told = withReason ? filled("cbc:TaxExemptionReason", reason) : ""
        return "\(tag("cbc:ID", code))\(percent)\(told)<cac:TaxScheme>\(tag("cbc:ID", "VAT"))</cac:TaxScheme>"
    }

    private static func totals(_ invoice: Invoice) -> String {
        """
        <cac:LegalMonetaryTotal>\(amount("cbc:LineExtensionAmount", invoice.subtotal - invoice.discount, invoice))\
        \(amount("cbc:TaxExclusiveAmount", invoice.subtotal - invoice.discount, invoice))\(amount("cbc:TaxInclusiveAmount", invoice.total, invoice))\
        \(amount("cbc:PrepaidAmount", invoice.kind == .invoice ? min(invoice.paid, invoice.total) : 0, invoice))\
        \(amount("cbc:PayableAmount", invoice.kind == .invoice ? invoice.total - min(invoice.paid, invoice.total) : invoice.total, invoice))\
        </cac:LegalMonetaryTotal>
        """
    }

    /// A credit for unused time is a line of quantity -1: a price below zero is not allowed (EN 16931, BR-27).
    private static func line(_ number: Int, _ line: InvoiceLine, _ invoice: Invoice) -> String {
        let isNote = invoice.kind == .creditNote
        let (root, quantity) = (isNote ? "CreditNoteLine" : "InvoiceLine", isNote ? "CreditedQuantity" : "InvoicedQuantity")
        return """
            <cac:\(root)>\(tag("cbc:ID", String(number)))<cbc:\(quantity) unitCode="C62">\(line.net < 0 ? -1 : 1)</cbc:\(quantity)>\
            \(amount("cbc:LineExtensionAmount", line.net, invoice))<cac:Item>\
            \(tag("cbc:Name", "\(line.charge.kind.rawValue): \(line.charge.item?.name ?? line.charge.plan.rawValue), \(day(line.charge.period.start)) to \(day(line.charge.period.end))"))\
            <cac:ClassifiedTaxCategory>\(category(invoice, withReason: false))</cac:ClassifiedTaxCategory></cac:Item>\
            <cac:Price>\(amount("cbc:PriceAmount", abs(line.net), invoice))</cac:Price></cac:\(root)>
            """
    }

    private static func amount(_ name: String, _ units: Int64, _ invoice: Invoice) -> String {
        "<\(name) currencyID=\"\(invoice.currency)\">\(Money(minorUnits: units, currency: invoice.currency).decimalText)</\(name)>"
    }

    private static func tag(_ name: String, _ text: String) -> String { "<\(name)>\(escaped(text))</\(name)>" }
    private static func filled(_ name: String, _ text: String) -> String { text.isEmpty ? "" : tag(name, text) }
    private static func day(_ time: Timestamp) -> String { String(time.description.prefix(10)) }

    private static func escaped(_ text: String) -> String {
        let allowed = text.unicodeScalars.filter(isCharacter)
        return String(String.UnicodeScalarView(allowed)).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    /// Of XML 1.0.
    private static func isCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 9, 10: true
        case 0..<32, 0xFFFE, 0xFFFF: false
        default: true
        }
    }
}
