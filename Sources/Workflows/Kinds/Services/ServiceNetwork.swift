package import Kernel
package import Outbound

/// The connections that service kinds make beside HTTP, each to an address that was checked; passed in where the program is put together.
package struct ServiceNetwork: Sendable {
    package typealias Stream =
        @Sendable (
            OutboundDestination, _ tls: Bool, _ verifies: Bool, _ timeout: Duration, TenantID,
            _ body: @escaping @Sendable (OutboundStream) async throws -> [JSON]
        ) async throws -> [JSON]

    package var stream: Stream
    package var postgres:
        @Sendable (PostgresDestination, [PostgresStatement], _ inTransaction: Bool, TenantID) async throws -> [Result<
            [JSONObject], PostgresClientError
        >]
    package var addresses: @Sendable (OutboundDestination, TenantID) async throws -> [String]

    package init(outbound: Outbound) {
        stream = { destination, tls, verifies, timeout, tenant, body in
            try await outbound.withStream(to: destination, tls: tls, verifies: verifies, timeout: timeout, for: tenant, body)
        }
        postgres = { destination, statements, inTransaction, tenant in
            try await outbound.postgres(destination, statements, inTransaction: inTransaction, for: tenant)
        }
        addresses = { destination, tenant in try await outbound.permittedAddresses(of: destination, for: tenant) }
    }
}

extension StepFailure {
    static let noNetwork = StepFailure("no_network", "Other servers cannot be reached from here.", isRetryable: false)

    /// A failure of a database server in the server's words.
    init(_ error: PostgresClientError, item: Int?) {
        self.init(
            "postgres_error", error.message, details: error.code.isEmpty ? nil : ["code": .string(error.code)], itemIndex: item,
            isRetryable: error.isRetryable)
    }
}
