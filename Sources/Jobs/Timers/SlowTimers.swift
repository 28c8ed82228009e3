package import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle

/// Fires timers whose handlers wait for others, such as somebody else's server: one that takes long holds up no other, and no tenant has all places.
package struct SlowTimers: Service {
    /// Handlers at work at one time in this process, and those of one tenant.
    static let placesMaximum = 32
    static let placesOfTenant = 4

    private let timers: TimerService
    private let places = TenantPlaces(placesMaximum, share: placesOfTenant)
    private let wake = Wake()
    private let clock: Clock
    private let logger: Logger

    package init(database: any Database, clock: Clock, logger: Logger, handlers: [String: TimerService.Handler]) {
        self.clock = clock
        self.logger = logger
        timers = TimerService(database: database, clock: clock, logger: logger, handlers: handlers, room: { [places] _ in Self.room(in: places) })
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    do {
                        let due = try await timers.claim()
                        for timer in due {
                            places.enter(timer.tenant)
                            group.addTask {
                                await timers.fire(timer)
                                places.leave(timer.tenant)
                                wake.raise()
                            }
                        }
                        if due.isEmpty { await wake.wait(atMost: try await untilNext(), clock) }
                    } catch {
                        logger.error("timers could not be read", metadata: ["error": "\(error)"])
                        try? await clock.sleep(TimerService.sweep)
                    }
                }
            }
        }
    }

    /// Few at a time, so that a tenant with many is seen to have its fill.
    private static func room(in places: TenantPlaces) -> TimerService.Room {
        let room = places.room
        return .init(places: min(room.free, placesOfTenant), without: room.full)
    }

    /// Where there is no room a handler that ends is what is waited for.
    private func untilNext() async throws -> Duration {
        let room = Self.room(in: places)
        return room.places > 0 && room.without.isEmpty ? try await timers.untilNext() : TimerService.sweep
    }
}
