import NIOCore
import NIOPosix
import Testing

@testable import HTTPService

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Something that should have happened did not.
struct SocketError: Error {
    var what: String
}

/// Serves a fixture on a real socket while `body` runs.
func withServer<T>(
    _ fixture: Fixture, onConnect: @escaping @Sendable (any Channel) -> Void = { _ in },
    _ body: (Int) async throws -> T
) async throws -> T {
    let group = MultiThreadedEventLoopGroup.singleton
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

/// A blocking client socket, driven from a thread pool so that no test thread waits. It speaks bytes, not HTTP. It is
/// open as long as it is referenced.
final class RawClient: Sendable {
    private let socket: CInt

    /// Enough for all tests: clients block their threads, and one that waited for another's would find its server's
    /// deadlines passed.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 32)
        threads.start()
        return threads
    }()

    /// Runs `body` with a client that is connected for as long as it runs.
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
        // Only a guard against hanging for ever: no test waits for it to pass.
        // A `timeval`: seconds and microseconds.
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

    /// Makes the socket's end a reset: the client is gone, not only silent.
    func resetWhenClosed() {
        // A `linger`: on, and no time.
        var linger: (CInt, CInt) = (1, 0)
        setsockopt(self.socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<(CInt, CInt)>.size))
    }

    func endSending() {
        shutdown(self.socket, CInt(SHUT_WR))
    }

    /// The next bytes, or none at the end.
    func receive(_ most: Int = 65_536) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: most)
        let count = bytes.withUnsafeMutableBytes { recv(self.socket, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw SocketError(what: "receive: \(errno)") }
        return Array(bytes[..<count])
    }

    /// Everything until the server closes its side.
    func receiveAll() throws -> String {
        var all: [UInt8] = []
        while true {
            let bytes = try self.receive()
            if bytes.isEmpty { return String(decoding: all, as: UTF8.self) }
            all += bytes
        }
    }

    /// What comes until `end` has come.
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
