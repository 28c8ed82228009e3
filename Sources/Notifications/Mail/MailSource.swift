internal import CCurl
internal import CShims
internal import Foundation

/// What libcurl reads the message from.
final class MailSource {
    private let bytes: [UInt8]
    private var place = 0
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Sends the message over a handle that knows where to and how.
    /// - Parameter peer: what the other side is called where it refuses.
    func upload(with handle: UnsafeMutableRawPointer, to peer: String) -> MailError? {
        _ = aias_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = aias_curl_set_long(handle, CURLOPT_UPLOAD, 1)
        return withExtendedLifetime(self) {
            aias_curl_set_reader(handle, Self.reader, Unmanaged.passUnretained(self).toOpaque())
            let code = curl_easy_perform(handle)
            guard code != CURLE_OK else { return nil }
            var answer: Int = 0
            aias_curl_response_code(handle, &answer)
            return MailError(
                message: String(cString: curl_easy_strerror(code)) + (answer > 0 ? " (the \(peer) answered \(answer))" : ""),
                isPermanent: (500..<600).contains(answer))
        }
    }

    private static let reader: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int = {
        buffer, size, count, context in
        guard let buffer, let context else { return 0 }
        let source = Unmanaged<MailSource>.fromOpaque(context).takeUnretainedValue()
        let taken = min(size * count, source.bytes.count - source.place)
        source.bytes.withUnsafeBytes { bytes in
            if taken > 0 { UnsafeMutableRawPointer(buffer).copyMemory(from: bytes.baseAddress! + source.place, byteCount: taken) }
        }
        source.place += taken
        return taken
    }
}
