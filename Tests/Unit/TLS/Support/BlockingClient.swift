import COpenSSL
import Foundation
import TLS

/// A TLS client on a blocking socket. It uses OpenSSL directly, without the module under test. Reads and writes time
/// out after 30 seconds. Not thread-safe.
final class BlockingClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String

        /// Adds the reasons of OpenSSL's error queue.
        init(_ what: String) {
            var reasons: [String] = []
            while case let code = ERR_get_error(), code != 0 {
                reasons.append(ERR_reason_error_string(code).map { String(cString: $0) } ?? "\(code)")
            }
            description = "\(what): \(reasons.joined(separator: ", "))"
        }
    }

    let socket: Int32
    private let ssl: OpaquePointer
    private let context: ClientContext

    init(port: Int, context: ClientContext, resuming session: OpaquePointer? = nil) throws {
        self.context = context
        socket = try Self.connect(port: port)
        guard let ssl = context.makeSSL() else { throw Failure("SSL_new") }
        self.ssl = ssl
        SSL_set_fd(ssl, socket)
        if let session { SSL_set_session(ssl, session) }
        ERR_clear_error()
    }

    deinit {
        SSL_free(ssl)
        Foundation.close(socket)
    }

    static func connect(port: Int) throws -> Int32 {
        let descriptor = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure("connect") }
        return descriptor
    }

    func handshake() throws {
        guard SSL_do_handshake(ssl) == 1 else { throw Failure("handshake") }
    }

    func write(_ bytes: [UInt8]) throws {
        var count = 0
        guard SSL_write_ex(ssl, bytes, bytes.count, &count) == 1, count == bytes.count else { throw Failure("write") }
    }

    /// Reads up to `limit` bytes; returns `nil` at the peer's `close_notify`.
    func read(limit: Int = 65536) throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = 0
        let result = SSL_read_ex(ssl, &bytes, limit, &count)
        if result == 1 { return Array(bytes[..<count]) }
        if SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN { return nil }
        throw Failure("read")
    }

    func read(exactly count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count, let part = try read(limit: min(65536, count - bytes.count)) { bytes += part }
        return bytes
    }

    func readToCloseNotify() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try read() { bytes += part }
        return bytes
    }

    func closeNotify() { SSL_shutdown(ssl) }
    func shutdownTCPOutput() { Foundation.shutdown(socket, Int32(SHUT_WR)) }

    /// Reads and discards until the end of TCP. Closing a socket with unread bytes resets the connection, and the
    /// server might lose our last alert.
    func drainTCP() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while recv(socket, &bytes, bytes.count, 0) > 0 {}
    }

    var version: Int32 { SSL_version(ssl) }
    var isResumed: Bool { SSL_session_reused(ssl) == 1 }
    var cipher: String { SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "" }
    /// The session with its ticket, which the caller frees.
    var session: OpaquePointer? { SSL_get1_session(ssl) }
    /// Whether the server's hello has the extension `renegotiation_info` (RFC 5746).
    var supportsSecureRenegotiation: Bool { SSL_ctrl(ssl, SSL_CTRL_GET_RI_SUPPORT, 0, nil) == 1 }

    func renegotiate() throws {
        guard SSL_renegotiate(ssl) == 1 else { throw Failure("SSL_renegotiate") }
        guard SSL_do_handshake(ssl) == 1 else { throw Failure("renegotiation") }
    }

    var negotiatedProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        return name.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(length)), as: UTF8.self) }
    }
}

/// Runs blocking work on its own thread, so that it does not block the threads of the concurrency pool.
func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
