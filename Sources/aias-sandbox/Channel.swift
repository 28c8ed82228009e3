internal import Glibc

/// The socket to the client, read and written in whole frames by one thread.
struct Channel {
    let descriptor: Int32

    /// The next frame, nil when the client has gone.
    func receive() -> (kind: Wire.Kind, payload: [UInt8])? {
        guard let header = read(count: 6) else { return nil }
        let length = header[0..<4].reduce(0) { $0 << 8 | Int($1) } - 2
        guard header[4] == Wire.version, let kind = Wire.Kind(rawValue: header[5]), length >= 0, length <= Wire.payloadBytesMaximum else {
            Wire.Exit.protocolFault.leave()
        }
        guard let payload = read(count: length) else { return nil }
        return (kind, payload)
    }

    /// Sends a frame; leaves the process when the client has gone.
    func send(_ kind: Wire.Kind, _ payload: [UInt8]) {
        let length = payload.count + 2
        var frame: [UInt8] = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        frame.append(Wire.version)
        frame.append(kind.rawValue)
        frame.append(contentsOf: payload)
        var sent = 0
        while sent < frame.count {
            let count = frame.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + sent, frame.count - sent) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { exit(0) }
            sent += count
        }
    }

    private func read(count: Int) -> [UInt8]? {
        var gone = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = Glibc.read(descriptor, buffer.baseAddress! + filled, count - filled)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { gone = true; return }
                filled += got
            }
        }
        return gone ? nil : bytes
    }
}

extension Wire.Exit {
    /// Ends the process at once, without running anything at exit.
    func leave() -> Never { _exit(rawValue) }
}
