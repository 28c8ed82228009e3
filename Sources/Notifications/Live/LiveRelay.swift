package import Kernel
internal import ServiceLifecycle

/// Keeps the other processes of a deployment knowing what is watched here.
package struct LiveRelay: Service {
    static let round: Duration = .seconds(10)

    private let live: LiveEvents
    private let clock: Clock

    package init(live: LiveEvents, clock: Clock) {
        self.live = live
        self.clock = clock
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                live.renew()
                do { try await clock.sleep(Self.round) } catch { return }
            }
        }
    }
}
