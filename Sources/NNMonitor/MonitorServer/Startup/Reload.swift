import HTTPService
import Logging
import TLS
import ServiceLifecycle
import UnixSignals

/// On SIGHUP reads certificate, key, tokens and static files again. Each that can't be used is left as it was, and the
/// log says why; no connection is dropped.
struct Reload: Service {
    let settings: Settings
    let tls: TLSContextSource?
    let authenticator: Authenticator
    let assets: StaticAssets
    let logger: Logger
    /// SIGHUPs, caught since before the server listens.
    let signals: UnixSignalsSequence

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in signals { reload() }
        }
    }

    private func reload() {
        attempt("TLS certificate") {
            guard let context = try tls?.reload() else { return nil }
            return "SHA-256 \(context.certificate.sha256Fingerprint)"
        }
        attempt("tokens") {
            guard let table = try Access.reloaded(settings) else { return nil }
            authenticator.replace(with: table)
            return "\(table.entries.count)"
        }
        attempt("static files") {
            try assets.reload()
            return "done"
        }
    }

    private func attempt(_ what: String, _ body: () throws -> String?) {
        do {
            if let result = try body() { logger.notice("reloaded", metadata: ["what": "\(what)", "now": "\(result)"]) }
        } catch {
            logger.error("not reloaded, kept as it was", metadata: ["what": "\(what)", "reason": "\(error)"])
        }
    }
}
