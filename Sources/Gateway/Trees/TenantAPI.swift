internal import Foundation
internal import Kernel
internal import Outbound

/// A tenant of a server somewhere, over its API with a key.
final class TenantAPI: Sendable {
    private static let pageRows = 100
    private static let patience = 20

    let base: String
    private let key: String
    private let outbound: Outbound

    /// - Throws: for an address that is none, and without a key.
    init(url: String, key: String) throws {
        guard let parts = URLComponents(string: url), let host = parts.host, ["http", "https"].contains(parts.scheme) else {
            throw Refusal.invalid("url", "bad_url", "--url is the address of a server: https://aias.example.com.")
        }
        guard !key.isEmpty else {
            throw Refusal(.unauthenticated, "no_key", "Set AIAS_API_KEY to a key of the tenant: it is made in the console under Settings, API keys.")
        }
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.key = key
        // Whoever runs the command names the server, wherever it is.
        outbound = try Outbound(policy: AddressPolicy(allowing: ["\(host):\(parts.port ?? (parts.scheme == "https" ? 443 : 80))"]))
    }

    func close() async { await outbound.shutdown() }

    func get(_ path: String) async throws -> JSON { try await ask("GET", path, nil) }
    func put(_ path: String, _ body: JSON) async throws -> JSON { try await ask("PUT", path, body) }
    func post(_ path: String, _ body: JSON) async throws -> JSON { try await ask("POST", path, body) }
    func patch(_ path: String, _ body: JSON) async throws -> JSON { try await ask("PATCH", path, body) }
    func delete(_ path: String) async throws { _ = try await ask("DELETE", path, nil) }

    /// All rows of a list.
    func all(_ path: String) async throws -> [JSON] {
        var rows: [JSON] = []
        var cursor: String?
        repeat {
            let encoded = cursor?.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            let page = try await get("\(path)?limit=\(Self.pageRows)\(encoded.map { "&cursor=\($0)" } ?? "")")
            rows += page["data"]?.array ?? []
            cursor = page["next_cursor"]?.text
        } while cursor != nil
        return rows
    }

    private func ask(_ method: String, _ path: String, _ body: JSON?) async throws -> JSON {
        var request = OutboundRequest(
            method: method, url: base + path, headers: [("Authorization", "Bearer \(key)"), ("Accept", "application/json")],
            timeout: .seconds(60))
        if let body {
            request.headers.append(("Content-Type", "application/json"))
            request.body = .bytes(body.bytes)
        }
        for _ in 0..<Self.patience {
            let answer: OutboundResponse
            do { answer = try await outbound.send(request) } catch let error as OutboundError {
                throw Refusal(.unavailable, "unreachable", "\(base) cannot be reached: \(error.message)")
            }
            if answer.status == 429 || answer.status == 503 {
                try await Task.sleep(for: .seconds(min(10, max(1, Int(answer.header("Retry-After") ?? "") ?? 1))))
                continue
            }
            let json = answer.body.isEmpty ? JSON.null : (try? JSON(parsing: answer.body)) ?? .null
            guard (200..<300).contains(answer.status) else { throw Self.refusal(answer.status, json, path) }
            return json
        }
        throw Refusal(.rateLimited, "rate_limited", "\(base) asks to wait again and again; try later.")
    }

    private static func refusal(_ status: Int, _ problem: JSON, _ path: String) -> Refusal {
        if status == 401 { return Refusal(.unauthenticated, "bad_key", "The key in AIAS_API_KEY is not accepted.") }
        let faults = (problem["faults"]?.array ?? []).map {
            Refusal.Fault(field: $0["field"]?.text ?? "", code: $0["code"]?.text ?? "", message: $0["message"]?.text ?? "")
        }
        let kind: Refusal.Kind = [403: .forbidden, 404: .missing, 409: .conflict, 422: .invalid][status] ?? .unavailable
        let detail = problem["detail"]?.text ?? problem["title"]?.text ?? "The server answered \(status) to \(path)."
        return Refusal(kind, problem["code"]?.text ?? "refused", detail, faults: faults)
    }
}
