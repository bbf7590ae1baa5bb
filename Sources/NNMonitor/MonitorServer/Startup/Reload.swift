import HTTPService
import Logging
import TLS
import ServiceLifecycle
import UnixSignals

/// On SIGHUP, reads certificate, key, tokens and static files again. If one of them cannot be used, its previous version
/// stays in use and the reason is logged. No connection is dropped.
struct Reload: Service {
    let settings: Settings
    let tls: TLSContextSource?
    let authenticator: Authenticator
    let assets: StaticAssets
    let logger: Logger
    /// The received SIGHUPs. The handler is installed before the server listens.
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
            guard let table = try AccessPolicy.reloaded(settings.security) else { return nil }
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
            logger.error(
                "not reloaded, the previous version stays in use",
                metadata: ["what": "\(what)", "reason": "\(error)"])
        }
    }
}
