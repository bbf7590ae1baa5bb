import HTTPService
import Health
import Logging
import TLS
import ServiceLifecycle
import UnixSignals

/// On SIGHUP, reads certificate, key, tokens, static files and rules of layer health again. If one of them cannot be
/// used, its previous version stays in use and the reason is logged. No connection is dropped.
///
/// Each is read on its own thread and within FILE_TIMEOUT, so a file that blocks delays neither the others nor the
/// shutdown. Signals that arrive during a reload cause one more reload, however many they are.
struct Reload: Service {
    let settings: Settings
    let tls: TLSContextSource?
    let authenticator: Authenticator
    let assets: StaticAssets
    let rules: HealthRulesInUse
    let logger: Logger
    /// The received SIGHUPs. The handler is installed before the server listens.
    let signals: UnixSignalsSequence

    private let readers = (
        tls: FileReader("tls files"), tokens: FileReader("tokens"), assets: FileReader("assets"),
        rules: FileReader("rules of layer health")
    )

    init(
        settings: Settings, tls: TLSContextSource?, authenticator: Authenticator, assets: StaticAssets,
        rules: HealthRulesInUse,
        logger: Logger, signals: UnixSignalsSequence
    ) {
        self.settings = settings
        self.tls = tls
        self.authenticator = authenticator
        self.assets = assets
        self.rules = rules
        self.logger = logger
        self.signals = signals
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            let (requests, request) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in signals { request.yield() }
                    request.finish()
                }
                for await _ in requests { await reload() }
                group.cancelAll()
            }
        }
    }

    private func reload() async {
        let fileTimeout = settings.listening.fileTimeout.value
        let security = settings.security
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await attempt("TLS certificate") {
                    guard let tls else { return nil }
                    let context = try await readers.tls.read(within: fileTimeout) { try tls.read() }
                    tls.use(context)
                    return "SHA-256 \(context.certificate.sha256Fingerprint)"
                }
            }
            group.addTask {
                await attempt("tokens") {
                    let read = try await readers.tokens.read(within: fileTimeout) {
                        try AccessPolicy.reloaded(security)
                    }
                    guard let table = read else { return nil }
                    authenticator.replace(with: table)
                    return "\(table.entries.count)"
                }
            }
            group.addTask {
                await attempt("static files") {
                    let read = try await readers.assets.read(within: fileTimeout) { try assets.read() }
                    guard let contents = read else { return nil }
                    assets.use(contents)
                    return "done"
                }
            }
            group.addTask {
                await attempt("rules of layer health") {
                    guard settings.health.rules.value != nil else { return nil }
                    rules.use(try await readers.rules.read(within: fileTimeout) { try settings.health.load() })
                    return "done"
                }
            }
        }
    }

    private func attempt(_ what: String, _ body: () async throws -> String?) async {
        do {
            if let result = try await body() {
                logger.notice("reloaded", metadata: ["what": "\(what)", "now": "\(result)"])
            }
        } catch is CancellationError {
            // The server is shutting down.
        } catch {
            logger.error(
                "not reloaded, the previous version stays in use",
                metadata: ["what": "\(what)", "reason": "\(error)"])
        }
    }
}
