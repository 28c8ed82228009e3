internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPCompression
internal import NIOPosix
internal import NIOSOCKS
internal import NIOSSL

extension OutboundError {
    /// The client's errors in our words; a cancellation stays one.
    static func from(_ error: any Error) -> any Error {
        switch error {
        case is OutboundError, is CancellationError: error
        case let error as HTTPClientError: from(client: error)
        case let error as NIOConnectionError: OutboundError(.unreachable, "\(error.host):\(error.port) cannot be connected to.")
        case let error as IOError: from(io: error)
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            OutboundError(.tls, "No trusted TLS connection: \(error).")
        case ChannelError.connectTimeout: OutboundError(.unreachable, "No connection in time.")
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            error as? NIOHTTPDecompression.DecompressionError == .limit
                ? OutboundError(.responseTooLarge, "The answer unpacks to too much.")
                : OutboundError(.closed, "The answer's compression is damaged.")
        case is SOCKSError.ConnectionFailed: OutboundError(.unreachable, "The proxy does not open a connection.")
        case is SOCKSError.InvalidAuthenticationSelection:
            OutboundError(.invalidRequest, "The proxy asks for a user and password, which a SOCKS proxy cannot be given here.")
        case is SOCKSError.InvalidProtocolVersion: OutboundError(.unreachable, "The proxy does not speak SOCKS 5.")
        case HTTPParserError.headerOverflow: OutboundError(.responseTooLarge, "The answer's headers are too large.")
        case is HTTPParserError: OutboundError(.closed, "The answer is not HTTP: \(error).")
        default: OutboundError(.closed, "The exchange failed: \(error).")
        }
    }

    private static func from(client error: HTTPClientError) -> any Error {
        switch error {
        case .cancelled: CancellationError()
        case .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout: OutboundError(.timeout, "No answer in time.")
        case .connectTimeout: OutboundError(.unreachable, "No connection in time.")
        case .tlsHandshakeTimeout: OutboundError(.tls, "The TLS handshake took too long.")
        case .invalidURL, .emptyHost, .emptyScheme: OutboundError(.invalidURL, "The URL cannot be sent.")
        case .invalidProxyResponse: OutboundError(.unreachable, "The proxy does not open a connection.")
        case .httpProxyHandshakeTimeout, .socksHandshakeTimeout: OutboundError(.unreachable, "The proxy opens no connection in time.")
        case .proxyAuthenticationRequired: OutboundError(.invalidRequest, "The proxy does not accept the user and password, or lacks them.")
        case .traceRequestWithBody, .contentLengthMissing: OutboundError(.invalidRequest, "\(error).")
        default: OutboundError(.closed, "The exchange failed: \(error).")
        }
    }

    private static func from(io error: IOError) -> OutboundError {
        switch error.errnoCode {
        case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, ETIMEDOUT, EACCES:
            OutboundError(.unreachable, "Cannot be connected to: \(error.localizedDescription).")
        default: OutboundError(.closed, "The connection broke: \(error.localizedDescription).")
        }
    }
}
