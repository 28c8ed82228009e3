package import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle
internal import Synchronization

/// The time of the database server, which all processes of a deployment share: it is asked from time to time, and counted on by a clock
/// that only goes forward. So a machine whose time of day is wrong, or jumps, fires no timer early and misses no schedule.
package final class ServerClock: Sendable {
    /// Between two questions; a machine's clock drifts by less than a millisecond meanwhile.
    static let interval: Duration = .seconds(10)
    /// Answers that took longer say too little: the time is off by at most half of this.
    static let roundTripMaximum: Duration = .milliseconds(500)
    /// A difference to the machine's own time that somebody should look at.
    static let noticed: Duration = .seconds(5)

    private struct Reading {
        var time: Timestamp
        var at: Duration
    }

    private let machine: Clock
    private let logger: Logger
    private let reading = Mutex<Reading?>(nil)
    private let isOff = Mutex(false)

    /// - Parameter machine: measures how time goes by, and tells the time of day until the server was asked.
    package init(machine: Clock, logger: Logger) {
        self.machine = machine
        self.logger = logger
    }

    package var clock: Clock { Clock(now: { [self] in now() }, elapsed: machine.elapsed, sleep: machine.sleep) }

    private func now() -> Timestamp {
        guard let reading = reading.withLock({ $0 }) else { return machine.now() }
        return reading.time + (machine.elapsed() - reading.at)
    }

    /// Asks the server once.
    /// - Returns: whether the answer was quick enough to be taken.
    @discardableResult
    package func ask(_ database: any Database) async throws -> Bool {
        let asked = machine.elapsed()
        let time = try await database.readSystem { tx in try ServerTimeStore(tx: tx).now() }
        return take(time, asked: asked, answered: machine.elapsed())
    }

    func take(_ time: Timestamp, asked: Duration, answered: Duration) -> Bool {
        let roundTrip = answered - asked
        let isTaken = reading.withLock { reading in
            // A slow answer is better than none.
            guard roundTrip <= Self.roundTripMaximum || reading == nil else { return false }
            reading = Reading(time: time, at: asked + roundTrip / 2)
            return true
        }
        notice()
        return isTaken
    }

    private func notice() {
        let difference = machine.now() - now()
        let isFar = difference > Self.noticed || difference < .zero - Self.noticed
        let wasFar = isOff.withLock { isOff in
            defer { isOff = isFar }
            return isOff
        }
        guard isFar != wasFar else { return }
        if isFar {
            logger.warning(
                "the clock of this machine differs from the database server's, which is used",
                metadata: ["seconds": "\(difference.components.seconds)"])
        } else {
            logger.notice("the clock of this machine agrees with the database server's again")
        }
    }
}

/// Asks the database server for its time while the process serves.
package struct ServerClockService: Service {
    private let clock: ServerClock
    private let database: any Database
    private let logger: Logger

    package init(_ clock: ServerClock, database: any Database, logger: Logger) {
        self.clock = clock
        self.database = database
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await clock.clock.sleep(ServerClock.interval)
                do { try await clock.ask(database) } catch {
                    logger.debug("the database server was not asked for its time", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
