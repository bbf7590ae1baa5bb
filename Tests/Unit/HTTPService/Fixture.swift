import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Foundations
import Testing

@testable import HTTPService

/// Replaces SHA-256: 32 bytes that depend on every input byte. The module needs no other property.
let testDigest: @Sendable ([UInt8]) -> [UInt8] = { bytes in
    var state: [UInt64] = [1, 2, 3, 4]
    for (index, byte) in bytes.enumerated() {
        let lane = index % 4
        state[lane] = (state[lane] ^ UInt64(byte) ^ UInt64(index)) &* 0x100_0000_01b3 &+ 0x9e37_79b9_7f4a_7c15
        state[(lane + 1) % 4] ^= state[lane] >> 7
    }
    return state.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
}

/// The scopes of the fixture's routes.
extension Scope {
    static let ingest = Scope("ingest", bit: 0)
    static let read = Scope("read", bit: 1)
    static let admin = Scope("admin", bit: 2)
    static let all: [Scope] = [.ingest, .read, .admin]
}

extension TokenTable {
    static func of(_ tokens: (name: String, token: String, scopes: ScopeSet)...) -> TokenTable {
        TokenTable(
            entries: tokens.map { Entry(name: $0.name, scopes: $0.scopes, digest: testDigest(Array($0.token.utf8))) })
    }
}

/// A clock that changes only when advanced.
final class TestClock: Sendable {
    private let time = Locked(NIODeadline.uptimeNanoseconds(1_000_000_000))

    var now: NIODeadline { self.time.withLock { $0 } }

    func advance(by amount: TimeAmount) {
        self.time.withLock { $0 = $0 + amount }
    }
}

/// A log handler that collects the lines.
struct CapturingLogHandler: LogHandler {
    final class Lines: Sendable {
        private let lines = Locked<[String]>([])
        var all: [String] { self.lines.withLock { $0 } }
        func append(_ line: String) { self.lines.withLock { $0.append(line) } }
    }

    let lines: Lines
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        self.lines.append("\(event.level) \(event.message) \(fields.joined(separator: " "))")
    }
}

/// The error thrown by a handler of the fixture. Its text must not reach a client.
struct Breakage: Error, CustomStringConvertible {
    var description: String { "the inner secret" }
}

/// A login whose link has any `token`, and begins no session.
struct FixtureLogin: PageLogin {
    func challenge(at path: String) -> HTTPResponse { .redirect(to: "/login") }

    func response(to request: HTTPRequest, rawQuery: String) -> HTTPResponse? {
        request.query.contains { $0.name == "token" } ? .redirect(to: request.path) : nil
    }
}

/// A server with routes that return parts of the request.
struct Fixture {
    let server: HTTPServer
    let authenticator: Authenticator
    let clock = TestClock()
    let log = CapturingLogHandler.Lines()

    static let page = "<!doctype html><title>page</title>" + String(repeating: " ", count: 2_000)

    init(
        table: TokenTable = .open, failureLimit: Int = 20, routes: [Route] = [],
        configure: (inout HTTPConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = HTTPConfiguration()
        configure(&configuration)
        let clock = self.clock
        self.authenticator = Authenticator(
            table: table, failureLimit: failureLimit, digest: testDigest, clock: { clock.now })
        let lines = self.log
        self.server = try HTTPServer(
            configuration: configuration, routes: Self.routes + routes, authenticator: self.authenticator,
            assets: StaticAssets(
                files: ["index.html": Self.page, "login.html": "<!doctype html>log in", "css/base.css": "a{}"],
                paths: [
                    AssetPath("/", file: "index.html", scope: .read, isPage: true),
                    AssetPath("/login", file: "login.html", scope: nil, isPage: true),
                ],
                modified: 1_000_000_000),
            login: FixtureLogin(),
            logger: Logger(label: "test") { _ in CapturingLogHandler(lines: lines) })
    }

    static let routes: [Route] = [
        .on(.GET, "/health", scope: nil) { _ in .json("{\"status\":\"healthy\"}") },
        .on(.POST, "/login", scope: nil, body: .form) { _ in .redirect(to: "/") },
        .on(.GET, "/runs/{id}", scope: .read) { .text($0.parameters[0]) },
        .on(.POST, "/echo", scope: .ingest, body: .json) { .json($0.body, status: .accepted) },
        .on(.GET, "/large", scope: .read) { _ in .text(String(repeating: "0123456789", count: 50_000)) },
        .on(.GET, "/stream", scope: .read) { _ in
            HTTPResponse(
                status: .ok, headers: ["Content-Type": "text/plain"],
                body: .stream { writer in
                    for index in 0..<5 { try await writer.write(ByteBuffer(string: "piece \(index)\n")) }
                })
        },
        .on(.GET, "/broken", scope: .read) { _ in throw Breakage() },
        .on(.GET, "/teapot", scope: .read) { _ in
            throw HTTPError(.imATeapot, code: "teapot", message: "short and stout")
        },
        .on(.DELETE, "/runs/{id}", scope: .admin) { _ in HTTPResponse(status: .noContent) },
    ]
}

/// A connection on an `EmbeddedChannel`, whose clock is advanced by the test. It receives the responses of the gate,
/// the deadlines and the static files, but not those of handlers, which run in tasks.
final class EmbeddedConnection {
    /// The local port of the connection.
    static let port = 8000

    let channel = EmbeddedChannel()

    init(_ fixture: Fixture, secure: Bool = false) throws {
        let address = try SocketAddress(ipAddress: "192.0.2.1", port: 4000)
        self.channel.remoteAddress = address
        self.channel.localAddress = try SocketAddress(ipAddress: "192.0.2.2", port: Self.port)
        try fixture.server.install(on: self.channel, secure: secure)
        try self.channel.connect(to: address).wait()
    }

    func send(_ text: String) throws {
        try self.channel.writeInbound(ByteBuffer(string: text))
        self.channel.embeddedEventLoop.run()
    }

    /// The bytes written since the last call.
    func received() throws -> String {
        var text = ""
        while let part = try self.channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(let buffer) = part { text += String(buffer: buffer) }
        }
        return text
    }

    func exchange(_ text: String) throws -> String {
        try self.send(text)
        return try self.received()
    }

    func advance(_ amount: TimeAmount) {
        self.channel.embeddedEventLoop.advanceTime(by: amount)
    }

    var isOpen: Bool { self.channel.isActive }

    deinit {
        _ = try? self.channel.finish(acceptAlreadyClosed: true)
    }
}

extension String {
    /// The status code of the first response in this text.
    var status: Int? { self.split(separator: " ").dropFirst().first.flatMap { Int($0) } }

    /// The value of a header field of the first response in this text.
    func header(_ name: String) -> String? {
        for line in self.components(separatedByBlankLine: true)[0].split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == name.lowercased() { return parts[1].trimmed }
        }
        return nil
    }

    /// The text after the first head.
    var body: String { self.components(separatedByBlankLine: true).dropFirst().first ?? "" }

    private func components(separatedByBlankLine: Bool) -> [String] {
        guard let range = self.firstRange(of: "\r\n\r\n") else { return [self] }
        return [String(self[..<range.lowerBound]), String(self[range.upperBound...])]
    }
}
