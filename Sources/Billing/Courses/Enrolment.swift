internal import Kernel
internal import Tenancy

enum EnrolmentTag {}
typealias EnrolmentID = ID<EnrolmentTag>
enum CertificateTag {}
typealias CertificateID = ID<CertificateTag>

/// A person of a tenant in a course that the tenant has bought.
struct Enrolment: Sendable, Hashable {
    var id: EnrolmentID
    var course: CourseID
    var learner: UserID
    /// As it stands on the certificate.
    var learnerName: String
    var invoice: InvoiceID
    var boughtAt: Timestamp
    /// All was refunded.
    var endedAt: Timestamp?

    /// Whether the course can be gone on with.
    enum Access: String, Sendable, Hashable, Codable { case open, unpaid, refunded }

    static func access(_ invoice: Invoice, isDisputed: Bool) -> Access {
        if invoice.total > 0, invoice.credited >= invoice.total { return .refunded }
        return invoice.due > 0 || isDisputed ? .unpaid : .open
    }
}

/// That somebody has passed a course's exam. Its id cannot be guessed: who has it may see it.
struct Certificate: Sendable, Hashable {
    enum Revocation: String, Sendable, Hashable, Codable, CaseIterable {
        /// Comes and goes with what is paid.
        case unpaid
        case refunded
        /// By the author, for good.
        case withdrawn
    }

    var id: CertificateID
    var owner: TenantID
    var enrolment: EnrolmentID
    var course: CourseID
    var courseTitle: String
    var issuer: String
    var learnerName: String
    var percent: Int64
    var issuedAt: Timestamp
    var revokedAt: Timestamp?
    var revocation: Revocation?

    /// Brings it to what is paid of the course.
    mutating func settle(_ access: Enrolment.Access, at now: Timestamp) {
        guard revocation != .withdrawn else { return }
        let wanted: Revocation? =
            switch access {
            case .open: nil
            case .unpaid: .unpaid
            case .refunded: .refunded
            }
        guard wanted != revocation else { return }
        (revocation, revokedAt) = (wanted, wanted == nil ? nil : now)
    }
}
