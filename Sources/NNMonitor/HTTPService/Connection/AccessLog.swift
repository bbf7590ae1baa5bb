import Logging
import NIOCore
import NIOHTTP1

/// Logs one line per request at `info`. Requests of unauthenticated clients are folded, so that they cannot fill the
/// log. Queries, headers and bodies are never logged, because they may contain secrets.
struct AccessLog: Sendable {
    let logger: Logger
    /// Receives the requests of unauthenticated clients.
    let foldedLog: FoldedLog

    /// Logs a finished exchange.
    ///
    /// - Parameters:
    ///   - exchange: the exchange.
    ///   - bytesOut: the bytes of the response's body that were written.
    ///   - peer: the client's address.
    ///   - now: the time of the end.
    ///   - isComplete: whether the response was written to its end.
    func record(_ exchange: Exchange, bytesOut: Int, peer: String, now: NIODeadline, isComplete: Bool) {
        guard self.logger.logLevel <= .info else { return }
        let fields = {
            self.fields(exchange, bytesOut: bytesOut, peer: peer, now: now, isComplete: isComplete)
        }
        guard !exchange.isKnown else {
            self.logger.info("request", metadata: fields())
            return
        }
        let status = exchange.status.map { String($0.code) } ?? "-"
        self.foldedLog.note("request \(status)", level: .info, "request", metadata: fields)
    }

    private func fields(
        _ exchange: Exchange, bytesOut: Int, peer: String, now: NIODeadline, isComplete: Bool
    ) -> Logger.Metadata {
        let tenths = (now - exchange.started).nanoseconds / 100_000
        var metadata: Logger.Metadata = [
            "method": "\(exchange.method.rawValue)",
            "path": "\(Self.escaped(exchange.path))",
            "status": "\(exchange.status.map { String($0.code) } ?? "-")",
            "bytes": "\(bytesOut)",
            "ms": "\(tenths / 10).\(tenths % 10)",
            "peer": "\(peer)",
        ]
        if !isComplete { metadata["aborted"] = "true" }
        return metadata
    }

    /// Logs an error, other than `HTTPError`, that a handler threw.
    func failed(_ error: any Error, request: HTTPRequest) {
        self.logger.error(
            "request failed",
            metadata: [
                "method": "\(request.method.rawValue)", "path": "\(Self.escaped(request.path))",
                "error": "\(Self.escaped(String(describing: error)))",
            ])
    }

    /// Logs that a handler's response had a header field that must not be written.
    func unwritable(_ name: String, in exchange: Exchange) {
        self.logger.error(
            "a handler's response has an invalid header",
            metadata: [
                "method": "\(exchange.method.rawValue)", "path": "\(Self.escaped(exchange.path))",
                "header": "\(Self.escaped(name))",
            ])
    }

    /// Escapes control and invisible characters of client-supplied text, and truncates it to 1 024 scalars.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(1_024) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return text.unicodeScalars.count > 1_024 ? result + "…" : result
    }
}
