internal import CArgon2
internal import Foundation
internal import Kernel
internal import Synchronization

/// Password hashing with argon2id (RFC 9106) in the encoded form, which carries its own parameters.
struct Passwords: Sendable {
    /// Memory in KiB, passes and lanes: OWASP's second recommended set.
    static let memoryKibibytes: UInt32 = 19_456
    static let passes: UInt32 = 2
    static let lanes: UInt32 = 1
    static let lengths = 10...256
    private static let hashBytes = 32
    private static let encodedBytes = 160

    /// Hashing costs a core for tens of milliseconds; two at a time, on threads of their own.
    private static let threads = 2
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.name = "passwords"
        queue.maxConcurrentOperationCount = threads
        return queue
    }()

    /// Hashes that may wait for a thread, some five seconds of work: whoever comes then is told to come again.
    private static let waitingMaximum = 256
    private static let state = Mutex(State())

    private struct State: Sendable {
        var line = FairLine<Waiter>(places: Passwords.waitingMaximum)
        var busyThreads = 0
    }

    /// Somebody who waits; one of the two is called, once.
    private struct Waiter: Sendable {
        var work: @Sendable () -> Void
        var refuse: @Sendable () -> Void
    }

    static func check(length password: String) throws {
        guard lengths.contains(password.utf8.count) else {
            throw Refusal.invalid("password", "bad_length", "A password has \(lengths.lowerBound) to \(lengths.upperBound) characters.")
        }
    }

    /// - Parameter network: where the request comes from; the networks take turns.
    static func hash(_ password: String, from network: String) async throws -> String {
        try check(length: password)
        return try await onQueue(from: network) {
            var generator = SystemRandomNumberGenerator()
            let salt: [UInt8] = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            var encoded = [CChar](repeating: 0, count: encodedBytes)
            let bytes = Array(password.utf8)
            let code = argon2id_hash_encoded(
                passes, memoryKibibytes, lanes, bytes, bytes.count, salt, salt.count, hashBytes, &encoded, encoded.count)
            precondition(code == ARGON2_OK.rawValue, "argon2id refused its constant parameters")
            return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Takes the same time for a person that does not exist: pass nil then.
    static func matches(_ password: String, encoded: String?, from network: String) async throws -> Bool {
        try await onQueue(from: network) {
            let bytes = Array(password.utf8)
            let reference = encoded ?? dummy
            let isRight = argon2id_verify(reference, bytes, bytes.count) == ARGON2_OK.rawValue
            return isRight && encoded != nil
        }
    }

    private static let dummy: String = {
        var encoded = [CChar](repeating: 0, count: encodedBytes)
        let nothing: [UInt8] = Array(repeating: 0, count: 16)
        _ = argon2id_hash_encoded(passes, memoryKibibytes, lanes, nothing, nothing.count, nothing, nothing.count, hashBytes, &encoded, encoded.count)
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    /// - Throws: `busy` where too many wait already.
    private static func onQueue<Value: Sendable>(from network: String, _ work: @escaping @Sendable () -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let waiter = Waiter(work: { continuation.resume(returning: work()) }, refuse: { continuation.resume(throwing: busy) })
            let (entry, isThreadFree): (FairLine<Waiter>.Entry, Bool) = state.withLock { state in
                let entry = state.line.enter(waiter, from: network)
                let isThreadFree = state.busyThreads < threads
                if isThreadFree { state.busyThreads += 1 }
                return (entry, isThreadFree)
            }
            if isThreadFree { queue.addOperation { serve() } }
            switch entry {
            case .waits: break
            case .replaces(let other): other.refuse()
            case .refused: waiter.refuse()
            }
        }
    }

    private static let busy = Refusal(
        .rateLimited, "busy", "Too many people are signing in at the moment; try again in a few seconds.", retryAfter: .seconds(5))

    /// Works on a thread until nobody waits.
    private static func serve() {
        while let waiter = next() { waiter.work() }
    }

    private static func next() -> Waiter? {
        state.withLock { state in
            let waiter = state.line.next()
            if waiter == nil { state.busyThreads -= 1 }
            return waiter
        }
    }
}
