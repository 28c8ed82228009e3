internal import Foundation

/// An IPv4 or IPv6 address as a number.
package enum IPAddress: Sendable, Hashable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// Reads the canonical text forms only: `192.0.2.1`, `2001:db8::1`. Short, octal and hexadecimal IPv4 forms are names, not
    /// addresses, and go through the resolver, whose answer is checked.
    package init?(_ text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self = .v4(UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self.init(six)
    }

    init(_ six: in6_addr) {
        let halves = withUnsafeBytes(of: six) { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self = .v6(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
    }

    /// Reads a socket address of either family; nil for others.
    init?(_ address: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: self = .v4(UInt32(bigEndian: raw.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6: self.init(raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr)
        default: return nil
        }
    }

    /// A peer that came by IPv4 to a socket of both families is `::ffff:192.0.2.1` there.
    package var withoutMapping: IPAddress {
        guard case .v6(let high, let low) = self, high == 0, low >> 32 == 0xFFFF else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }

    /// The IPv4 address that reaches the same machine: inside `::ffff:0:0/96` (RFC 4291) and the NAT64 prefix `64:ff9b::/96` (RFC 6052).
    var embeddedIPv4: IPAddress? {
        guard case .v6(let high, let low) = self else { return nil }
        let isMapped = high == 0 && low >> 32 == 0xFFFF
        let isTranslated = high == 0x0064_FF9B_0000_0000 && low >> 32 == 0
        return isMapped || isTranslated ? .v4(UInt32(truncatingIfNeeded: low)) : nil
    }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .v4(let bits): return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        case .v6(let high, let low):
            var bytes = (high.bigEndian, low.bigEndian)
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

/// A block of addresses with a common prefix: `10.0.0.0/8`.
package struct AddressRange: Sendable, Hashable {
    let base: IPAddress
    let prefixLength: Int

    /// Reads `address/length`; a bare address is a block of one.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = IPAddress(String(parts[0])) else { return nil }
        let width = if case .v4 = base { 32 } else { 128 }
        guard let length = parts.count == 2 ? Int(parts[1]) : width, (0...width).contains(length) else { return nil }
        self.base = base
        self.prefixLength = length
    }

    package func contains(_ address: IPAddress) -> Bool {
        switch (base, address) {
        case (.v4(let base), .v4(let other)):
            return prefixLength == 0 || (base ^ other) >> UInt32(32 - prefixLength) == 0
        case (.v6(let baseHigh, let baseLow), .v6(let high, let low)):
            if prefixLength <= 64 { return prefixLength == 0 || (baseHigh ^ high) >> UInt64(64 - prefixLength) == 0 }
            return baseHigh == high && (baseLow ^ low) >> UInt64(128 - prefixLength) == 0
        default: return false
        }
    }
}
