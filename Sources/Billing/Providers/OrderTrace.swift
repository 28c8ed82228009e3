/// What a provider says of an order that may have reached it, though no answer came back.
enum OrderTrace: Sendable, Hashable {
    /// It was done, under the provider's own id.
    case taken(String)
    /// The provider has none.
    case absent
    /// The provider does not tell.
    case unknown

    /// Gives an order that may have been taken before: what the provider has of it counts first, and a refusal only where the provider says after
    /// it that it has none.
    /// - Throws: `ProviderError.unanswered` while neither is known.
    fileprivate static func settle(_ ask: () async throws -> OrderTrace, _ give: () async throws -> String) async throws -> String {
        if case .taken(let reference) = try await told(ask) { return reference }
        do { return try await give() } catch ProviderError.refused(let reason) {
            switch try await told(ask) {
            case .taken(let reference): return reference
            case .absent: throw ProviderError.refused(reason)
            case .unknown: throw ProviderError.unanswered(reason)
            }
        }
    }

    /// A question that is refused says nothing of the order.
    private static func told(_ ask: () async throws -> OrderTrace) async throws -> OrderTrace {
        do { return try await ask() } catch ProviderError.refused(let reason) { throw ProviderError.unanswered(reason) }
    }
}

extension PaymentProvider {
    func payOut(again order: PayoutOrder) async throws -> String {
        try await OrderTrace.settle({ try await trace(order) }, { try await payOut(order) })
    }

    func refund(again order: RefundOrder) async throws -> RefundOutcome {
        do {
            let reference = try await OrderTrace.settle(
                { try await trace(order) },
                {
                    switch try await refund(order) {
                    case .done(let reference): return reference
                    case .refused(let reason): throw ProviderError.refused(reason)
                    }
                })
            return .done(reference)
        } catch ProviderError.refused(let reason) { return .refused(reason) }
    }
}
