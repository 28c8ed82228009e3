internal import Kernel
internal import Persistence
internal import Synchronization

/// The deliveries that this process has in hand.
final class DeliveryFlight: Sendable {
    /// Of one subscriber; the rest wait in the database.
    static let perSubscriber = 64

    private let inHand = Mutex<[String: [ID<OutboxEventTag>: Delivery]]>([:])

    /// Subscribers that get no more for now.
    var full: Set<String> { inHand.withLock { Set($0.filter { $0.value.count >= Self.perSubscriber }.keys) } }

    var all: [Delivery] { inHand.withLock { $0.values.flatMap(\.values) } }

    /// Takes deliveries in hand.
    /// - Returns: those that were not: one whose claim ran out while it waits here is not begun twice.
    func enter(_ deliveries: [Delivery]) -> [Delivery] {
        inHand.withLock { inHand in
            deliveries.filter { delivery in
                guard inHand[delivery.subscriber]?[delivery.event] == nil else { return false }
                inHand[delivery.subscriber, default: [:]][delivery.event] = delivery
                return true
            }
        }
    }

    /// - Returns: whether to look for more at once: nothing is in hand, or the subscriber had been full.
    func leave(_ delivery: Delivery) -> Bool {
        inHand.withLock { inHand in
            let wasFull = (inHand[delivery.subscriber]?.count ?? 0) >= Self.perSubscriber
            inHand[delivery.subscriber]?[delivery.event] = nil
            if inHand[delivery.subscriber]?.isEmpty == true { inHand[delivery.subscriber] = nil }
            return wasFull || inHand.isEmpty
        }
    }
}
