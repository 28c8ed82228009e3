internal import Kernel
internal import Persistence
internal import Tenancy

extension Billing {
    /// Asks what became of a charge that is decided later, where no webhook has told of it. One that came to nothing, or that the provider does not
    /// know, lets the next step of dunning charge the invoice again.
    func lookUp(_ task: ProviderTask, at name: String, _ reference: String) async throws {
        let found = try await database.read(in: task.tenant) { tx in try InvoiceStore(tx: tx).invoice(task.subject) }
        guard let invoice = found, invoice.status == .open, invoice.due > 0 else {
            return try await database.writeSystem { tx in try ProviderTaskStore(tx: tx).remove(task.key) }
        }
        let outcome = try await providers.provider(name).charged(reference) ?? .declined("unknown_payment")
        if case .pending = outcome { return try await postpone(task) }
        try await atTill(of: task.tenant) { till in
            // Another process may have asked too, and told what came of it.
            let isFirst = try ProviderTaskStore(tx: till.tx.system).finish(task.key)
            switch outcome {
            case .paid(let payment): try till.take(payment, at: name, for: invoice.id)
            case .declined(let reason): if isFirst { try till.fail(invoice.id, reason) }
            case .pending: break
            }
        }
    }
}
