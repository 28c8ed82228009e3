internal import Foundation
internal import Synchronization

/// Places where a crash test lets the process die: `AIAS_FAILPOINT=commit.before:17` kills it, as kill -9 would, when the
/// seventeenth commit is about to begin. Costs one comparison where the variable is not set.
package enum Failpoint {
    private struct Target {
        let name: String
        let count: Int
    }

    private static let target: Target? = {
        guard let text = ProcessInfo.processInfo.environment["AIAS_FAILPOINT"] else { return nil }
        let parts = text.split(separator: ":")
        guard parts.count == 2, let count = Int(parts[1]), count > 0 else { return nil }
        return Target(name: String(parts[0]), count: count)
    }()
    private static let reached = Mutex(0)

    package static func reach(_ name: String) {
        guard let target, target.name == name else { return }
        let isHit = reached.withLock { count in
            count += 1
            return count == target.count
        }
        if isHit { kill(getpid(), SIGKILL) }
    }
}
