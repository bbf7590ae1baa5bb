import NIOCore
import NIOPosix
import Testing

@testable import HTTPService

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A socket operation failed, or the expected bytes did not arrive.
struct SocketError: Error {
    var what: String
}

/// Serves a fixture on a TCP socket while `body` runs.
func withServer<T>(
    _ fixture: Fixture, group: MultiThreadedEventLoopGroup = .singleton,
    onConnect: @escaping @Sendable (any Channel) -> Void = { _ in },
    _ body: (Int) async throws -> T
) async throws -> T {
    let server = fixture.server
    let listener = try await ServerBootstrap(group: group)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            onConnect(channel)
            return channel.eventLoop.makeCompletedFuture { try server.install(on: channel, secure: false) }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(listener.localAddress?.port)
    do {
        let result = try await body(port)
        try await listener.close()
        return result
    } catch {
        try? await listener.close()
        throw error
    }
}

/// A blocking client socket for raw bytes. It runs on a thread pool, so that it does not block the threads of Swift
/// concurrency, and closes when it is released.
final class RawClient: Sendable {
    private let socket: CInt

    /// One thread per client of all tests: while a client waited for a free thread, its server's deadlines would pass.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 32)
        threads.start()
        return threads
    }()

    /// Runs `body` with a connected client on the thread pool.
    static func run<T: Sendable>(
        port: Int, _ body: @escaping @Sendable (RawClient) throws -> T
    ) async throws -> T {
        try await Self.threads.runIfActive {
            let client = try RawClient(port: port, receiveBuffer: nil)
            return try body(client)
        }
    }

    static func connect(port: Int, receiveBuffer: CInt? = nil) async throws -> RawClient {
        try await Self.threads.runIfActive {
            try RawClient(port: port, receiveBuffer: receiveBuffer)
        }
    }

    func perform<T: Sendable>(_ body: @escaping @Sendable (RawClient) throws -> T) async throws -> T {
        try await Self.threads.runIfActive { try body(self) }
    }

    private init(port: Int, receiveBuffer: CInt?) throws {
        self.socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard self.socket >= 0 else { throw SocketError(what: "socket") }
        // A `timeval` (seconds and microseconds) that limits the duration of a hanging test; no test relies on it.
        var patience = (30, 0)
        setsockopt(self.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<(Int, Int)>.size))
        setsockopt(self.socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<(Int, Int)>.size))
        if var receiveBuffer {
            setsockopt(self.socket, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<CInt>.size))
        }
        let result = try SocketAddress(ipAddress: "127.0.0.1", port: port).withSockAddr { address, size in
            Glibc.connect(self.socket, address, socklen_t(size))
        }
        guard result == 0 else { throw SocketError(what: "connect: \(errno)") }
    }

    deinit {
        Glibc.close(self.socket)
    }

    func send(_ text: String) throws {
        try self.send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(self.socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw SocketError(what: "send: \(errno)") }
            rest = rest.dropFirst(sent)
        }
    }

    /// Makes closing the socket send a reset.
    func resetWhenClosed() {
        // A `linger`: enabled, 0 seconds.
        var linger: (CInt, CInt) = (1, 0)
        setsockopt(self.socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<(CInt, CInt)>.size))
    }

    func endSending() {
        shutdown(self.socket, CInt(SHUT_WR))
    }

    /// The next bytes; empty at the end of the stream.
    func receive(_ most: Int = 65_536) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: most)
        let count = bytes.withUnsafeMutableBytes { recv(self.socket, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw SocketError(what: "receive: \(errno)") }
        return Array(bytes[..<count])
    }

    /// All bytes until the server closes its sending side.
    func receiveAll() throws -> String {
        var all: [UInt8] = []
        while true {
            let bytes = try self.receive()
            if bytes.isEmpty { return String(decoding: all, as: UTF8.self) }
            all += bytes
        }
    }

    /// The bytes up to and including `end`, which must end a read.
    func receive(until end: String) throws -> String {
        var all = ""
        while !all.hasSuffix(end) {
            let bytes = try self.receive()
            guard !bytes.isEmpty else { throw SocketError(what: "the end came before '\(end)', after '\(all)'") }
            all += String(decoding: bytes, as: UTF8.self)
        }
        return all
    }
}
