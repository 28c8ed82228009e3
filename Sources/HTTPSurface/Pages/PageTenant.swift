internal import HTTPTypes
package import Kernel

/// The tenant that a page was made for. Where its address names none, another window may choose another tenant meanwhile: what the page sends says
/// for which it is, and is refused where it would be done elsewhere. Programs need not say so.
enum PageTenant {
    /// In the address of each form that writes.
    static let parameter = "page_tenant"

    private static let opening = Array("<form ".utf8)
    private static let writing = Array(" method=\"post\"".utf8)
    private static let action = Array(" action=\"/".utf8)

    /// The page with the tenant in the addresses of its forms. Whatever people wrote stands escaped in it, and holds no tag.
    static func marking(_ page: String, _ tenant: TenantID) -> String {
        let bytes = Array(page.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 1_024)
        var copied = 0
        while let start = SubmittedForm.find(opening, in: bytes, from: copied) {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: ">")) ?? bytes.endIndex
            let tag = Array(bytes[start..<end])
            out += bytes[copied..<start]
            out += marking(tag, tenant)
            copied = end
        }
        out += bytes[copied...]
        return String(decoding: out, as: UTF8.self)
    }

    private static func marking(_ tag: [UInt8], _ tenant: TenantID) -> [UInt8] {
        guard SubmittedForm.find(writing, in: tag, from: 0) != nil, let start = SubmittedForm.find(action, in: tag, from: 0),
            let end = tag[(start + action.count)...].firstIndex(of: UInt8(ascii: "\""))
        else { return tag }
        let separator = tag[start..<end].contains(UInt8(ascii: "?")) ? "&amp;" : "?"
        var marked = tag
        marked.insert(contentsOf: Array("\(separator)\(parameter)=\(tenant)".utf8), at: end)
        return marked
    }

    /// - Throws: `other_tenant` where a page of another tenant sent this.
    static func require(_ tenant: TenantID, _ endpoint: Endpoint, _ head: RequestHead) throws {
        let named = head[.pageTenant] ?? (endpoint.method.isWrite ? inAddress(head) : nil)
        guard let named, named != tenant.description else { return }
        throw Refusal(
            .conflict, "other_tenant",
            "You have gone to another team in another window since this page was opened. Nothing was changed: go back to the team of the page, or open "
                + "the page again.")
    }

    static func inAddress(_ head: RequestHead) -> String? {
        guard !head.rawQuery.isEmpty else { return nil }
        return QueryReader(head.rawQuery).pairs.last { $0.name == parameter }?.value
    }
}

extension ErrorPage {
    /// The tenant of the page whose form was refused.
    package var pageTenant: TenantID? { PageTenant.inAddress(head).flatMap { TenantID($0) } }
}
