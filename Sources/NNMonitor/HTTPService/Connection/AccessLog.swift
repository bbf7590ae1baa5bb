import Logging
import NIOCore
import NIOHTTP1

/// One line a request at `info`; requests of strangers are folded, so that they cannot fill the log. It holds no secret:
/// neither queries nor headers nor bodies are logged.
struct AccessLog: Sendable {
    let logger: Logger
    let strangers: FoldedLog

    /// Writes the line of an exchange that is over; `isComplete` says whether its answer was written to its end.
    func record(_ exchange: Exchange, peer: String, now: NIODeadline, isComplete: Bool) {
        guard self.logger.logLevel <= .info else { return }
        guard !exchange.isKnown else {
            self.logger.info("request", metadata: self.fields(exchange, peer: peer, now: now, isComplete: isComplete))
            return
        }
        let status = exchange.status.map { String($0.code) } ?? "-"
        self.strangers.note("request \(status)", level: .info, "request") {
            self.fields(exchange, peer: peer, now: now, isComplete: isComplete)
        }
    }

    private func fields(_ exchange: Exchange, peer: String, now: NIODeadline, isComplete: Bool) -> Logger.Metadata {
        let tenths = (now - exchange.started).nanoseconds / 100_000
        var metadata: Logger.Metadata = [
            "method": "\(exchange.method.rawValue)",
            "path": "\(Self.escaped(exchange.path))",
            "status": "\(exchange.status.map { String($0.code) } ?? "-")",
            "bytes": "\(exchange.bytesOut)",
            "ms": "\(tenths / 10).\(tenths % 10)",
            "peer": "\(peer)",
        ]
        if !isComplete { metadata["aborted"] = "true" }
        return metadata
    }

    /// A handler threw something that is not an answer.
    func failed(_ error: any Error, request: HTTPRequest) {
        self.logger.error(
            "request failed",
            metadata: [
                "method": "\(request.method.rawValue)", "path": "\(Self.escaped(request.path))",
                "error": "\(Self.escaped(String(describing: error)))",
            ])
    }

    /// A handler's answer had a header that would have split it.
    func unwritable(_ name: String, in exchange: Exchange) {
        self.logger.error(
            "answer with a header that can't be written",
            metadata: [
                "method": "\(exchange.method.rawValue)", "path": "\(Self.escaped(exchange.path))",
                "header": "\(Self.escaped(name))",
            ])
    }

    /// Text that a client made up, fit for a log: control and invisible characters escaped, length bounded.
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
