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
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.name = "passwords"
        queue.maxConcurrentOperationCount = 2
        return queue
    }()

    /// Hashes that may wait for a thread, some five seconds of work: whoever comes then is told to come again.
    private static let waitingMaximum = 256
    private static let waiting = Mutex(0)

    static func check(length password: String) throws {
        guard lengths.contains(password.utf8.count) else {
            throw Refusal.invalid("password", "bad_length", "A password has \(lengths.lowerBound) to \(lengths.upperBound) characters.")
        }
    }

    static func hash(_ password: String) async throws -> String {
        try check(length: password)
        return try await onQueue {
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
    static func matches(_ password: String, encoded: String?) async throws -> Bool {
        try await onQueue {
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
    private static func onQueue<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async throws -> Value {
        let hasPlace = waiting.withLock { count in
            guard count < waitingMaximum else { return false }
            count += 1
            return true
        }
        guard hasPlace else {
            throw Refusal(.rateLimited, "busy", "Too many people are signing in at the moment; try again in a few seconds.", retryAfter: .seconds(5))
        }
        return await withCheckedContinuation { continuation in
            queue.addOperation {
                let value = work()
                waiting.withLock { $0 -= 1 }
                continuation.resume(returning: value)
            }
        }
    }
}
