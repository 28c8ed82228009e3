internal import Jobs
internal import Kernel
internal import Persistence

/// Attempts whose times were set while the clock was ahead, and are as far away once it has been set back.
extension OutgoingWebhooks {
    /// A clock that is set back by less is left to catch up; longer than any claim.
    static let slack: Duration = .seconds(300)
    static let pageMaximum = 200

    /// Brings them near: none is further away than the longest wait after as many tries.
    /// - Returns: how many there were.
    package func bringNear() async throws -> Int {
        var count = 0
        var last: WebhookQueueStore.Entry?
        while !Task.isCancelled {
            let (far, after) = (clock.now() + Self.slack, last)
            let page = try await database.readSystem { tx in
                try WebhookQueueStore(tx: tx).later(than: far, after: after, limit: Self.pageMaximum)
            }
            for entry in page { if try await bringNear(entry) { count += 1 } }
            guard page.count == Self.pageMaximum else { break }
            last = page.last
        }
        return count
    }

    private func bringNear(_ entry: WebhookQueueStore.Entry) async throws -> Bool {
        try await database.write(in: entry.tenant) { tx in
            let (deliveries, queue) = (WebhookDeliveryStore(tx: tx), WebhookQueueStore(tx: tx.system))
            guard var delivery = try deliveries.delivery(entry.delivery), delivery.state == .pending,
                let (dueAt, claimedUntil) = try queue.times(of: entry)
            else { return false }
            let now = tx.clock.now()
            let latest: Timestamp = now + (WebhookSchedule.wait(after: delivery.tries, random: 1) ?? .zero)
            let isFar = dueAt > latest + Self.slack
            guard isFar || claimedUntil > now + Self.slack else { return false }
            if isFar {
                delivery.nextAt = latest
                try deliveries.update(delivery)
            }
            try queue.set(entry, dueAt: isFar ? latest : dueAt)
            tx.afterCommit { WebhookSender.wake.raise() }
            return true
        }
    }
}
