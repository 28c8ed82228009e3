internal import Kernel

/// The frames between this client and `aias-sandbox` (its `Wire.swift`), over one stream socket: 4 bytes length of what follows
/// (big-endian), 1 byte version, 1 byte kind, then the payload: JSON in UTF-8, in a request after 4 bytes of time limit in ms.
enum SandboxWire {
    static let version: UInt8 = 1
    static let headerBytes = 6
    static let payloadBytesMaximum = 64 << 20

    enum Kind: UInt8 {
        case hello = 1
        case evaluate = 2
        case run = 3
        case ask = 4
        case answer = 5
        case result = 6
    }

    /// The worker's own exits.
    static let exitMemoryLimit: Int32 = 70
    static let exitTimeLimit: Int32 = 71
    static let exitNoWalls: Int32 = 72

    static func frame(_ kind: Kind, _ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(payload.count + headerBytes)
        appendInteger(payload.count + 2, to: &frame)
        frame.append(version)
        frame.append(kind.rawValue)
        frame.append(contentsOf: payload)
        return frame
    }

    static func request(_ kind: Kind, limit: Duration, _ body: JSON) -> [UInt8] {
        var payload: [UInt8] = []
        appendInteger(Int(max(1, limit.microseconds / 1_000)), to: &payload)
        body.write(to: &payload)
        return frame(kind, payload)
    }

    private static func appendInteger(_ value: Int, to bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
