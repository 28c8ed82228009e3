package import Logging

/// The carrier of a deployment: the broker that is configured, or the database itself.
package enum WakeCarriers {
    package static func make(
        _ broker: BrokerAddress?, databaseURL: String, logger: Logger, onWake: @escaping @Sendable (_ topic: String) -> Void
    ) throws -> any WakeCarrier {
        guard let broker else { return NotifyCarrier(url: databaseURL, onWake: onWake) }
        switch broker.kind {
        case .redis: return try RedisCarrier(broker, logger: logger, onWake: onWake)
        case .rabbitmq: return try RabbitCarrier(broker, logger: logger, onWake: onWake)
        }
    }
}
