internal import Kernel

/// Value added tax of the European Union on services sold by electronic means.
///
/// Council Directive 2006/112/EC: article 44 and 196 (a business in another member state: reverse charge), article 58 (a consumer: the
/// customer's country's rate), article 59a and the rules on place of supply outside the Union (not taxed there).
struct VATRules: Sendable {
    enum Treatment: String, Sendable, Hashable, Codable {
        case standard
        case reverseCharge = "reverse_charge"
        case outsideScope = "outside_scope"
    }

    struct Decision: Sendable, Hashable {
        var treatment: Treatment
        var rate: BasisPoints
        /// Whose tax it is, ISO 3166; empty where there is none.
        var country: String
    }

    /// Who sells; nil is a seller that owes no tax of the Union.
    let seller: String?

    /// - Parameter hasVATID: that the customer gave a number of their country, in its form.
    func decide(country: String, hasVATID: Bool) -> Decision {
        let none = Decision(treatment: .outsideScope, rate: .zero, country: "")
        guard let seller, Self.rates[seller] != nil, let rate = Self.rates[country] else { return none }
        if hasVATID, country != seller { return Decision(treatment: .reverseCharge, rate: .zero, country: country) }
        return Decision(treatment: .standard, rate: rate, country: country)
    }

    /// Standard rates in basis points, as of January 2026.
    static let rates: [String: BasisPoints] = {
        let table = [
            "AT": 2_000, "BE": 2_100, "BG": 2_000, "CY": 1_900, "CZ": 2_100, "DE": 1_900, "DK": 2_500, "EE": 2_400, "ES": 2_100, "FI": 2_550,
            "FR": 2_000, "GR": 2_400, "HR": 2_500, "HU": 2_700, "IE": 2_300, "IT": 2_200, "LT": 2_100, "LU": 1_700, "LV": 2_100, "MT": 1_800,
            "NL": 2_100, "PL": 2_300, "PT": 2_300, "RO": 2_100, "SE": 2_500, "SI": 2_200, "SK": 2_300
        ]
        return table.compactMapValues { try? BasisPoints($0) }
    }()

    /// Where there is no such country nobody could say what it taxes.
    /// - Throws: `unknown_country`
    static func checkedCountry(_ text: String) throws -> String {
        guard Countries.codes.contains(text) else {
            throw Refusal.invalid("country", "unknown_country", "A country has two capital letters, as DE; Greece is GR, the United Kingdom GB.")
        }
        return text
    }

    /// A number in the form of its country (the Union's VIES gives the forms); whether it is in force only VIES knows.
    /// - Throws: `bad_vat_id`
    static func checkedVATID(_ text: String, country: String) throws -> String {
        let id = text.uppercased().filter { !" .-".contains($0) }
        let prefix = country == "GR" ? "EL" : country
        let refusal = Refusal.invalid("vat_id", "bad_vat_id", "This is no VAT number of \(country).")
        guard rates[country] != nil, id.hasPrefix(prefix), id.utf8.count <= 14 else { throw refusal }
        let rest = id.dropFirst(2)
        guard rest.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) }) else { throw refusal }
        let isNumber = rest.utf8.allSatisfy { (48...57).contains($0) }
        let fits =
            switch country {
            case "AT": rest.count == 9 && rest.first == "U"
            case "BE": rest.count == 10 && isNumber
            case "BG": (9...10).contains(rest.count) && isNumber
            case "CY": rest.count == 9
            case "CZ": (8...10).contains(rest.count) && isNumber
            case "DE", "EE", "GR", "PT": rest.count == 9 && isNumber
            case "DK", "FI", "HU", "LU", "MT", "SI": rest.count == 8 && isNumber
            case "ES": rest.count == 9
            case "FR": rest.count == 11 && rest.dropFirst(2).utf8.allSatisfy { (48...57).contains($0) }
            case "HR", "IT", "LV": rest.count == 11 && isNumber
            case "IE": (8...9).contains(rest.count)
            case "LT": (rest.count == 9 || rest.count == 12) && isNumber
            case "NL": rest.count == 12 && rest.dropFirst(9).first == "B"
            case "PL", "SK": rest.count == 10 && isNumber
            case "RO": (2...10).contains(rest.count) && isNumber
            case "SE": rest.count == 12 && isNumber
            default: false
            }
        guard fits else { throw refusal }
        return id
    }
}
