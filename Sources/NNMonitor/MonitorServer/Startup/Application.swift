import HTTPService
import Health
import Logging
import MonitorAPI
import MonitorCore
import NIOCore
import NIOPosix
import TLS
import Turns
import ServiceLifecycle
import UnixSignals

/// The server as a whole: creates its components and runs them.
enum Application {
    /// Runs the server until SIGTERM or SIGINT.
    ///
    /// - Parameter settings: The settings, read and checked.
    /// - Throws: `StartError`, `TLSError` or `HTTPServiceError`, each with a one-line description, when the server
    ///   cannot start.
    static func run(settings: Settings) async throws {
        MemoryTrimmer.configureAllocator()
        let logger = Logger(label: "nnmonitor")
        let maxConnections = settings.connections.maxConnections.value
        if let descriptors = DescriptorLimit.raise(), descriptors < UInt(maxConnections) + 64 {
            logger.warning(
                "the limit of open files is too low for MAX_CONNECTIONS: raise it with ulimit -n, or lower MAX_CONNECTIONS",
                metadata: ["limit": "\(descriptors)", "max_connections": "\(maxConnections)"])
        }
        let fileTimeout = settings.listening.fileTimeout.value
        let access = try await read("tokens", within: fileTimeout) { try AccessPolicy(settings) }
        let tls = try await read("TLS certificate", within: fileTimeout) { try TLSSetup(settings.tls) }
        let assets = StaticAssets(
            try await read("static files", within: fileTimeout) {
                try StaticFolder.load(settings.listening.staticDir)
            }, paths: AssetPath.dashboard)
        let rules = HealthRulesInUse(
            try await read("rules of layer health", within: fileTimeout) { try settings.health.load() })
        let foldedLog = FoldedLog(logger: logger)
        let authenticator = Authenticator(
            table: access.table, failureLimit: settings.security.authFailureLimit.value,
            sessionLimitPerToken: settings.security.maxSessionsPerToken.value, digest: { SHA256Digest.hash($0) })
        let registry = ConnectionRegistry(
            limit: maxConnections, limitPerAddress: settings.connections.maxConnectionsPerAddress.value,
            onRefusal: { refusal, peer in
                foldedLog.note(refusal.rawValue, level: .warning, "connection refused") {
                    ["limit": "\(refusal.rawValue)", "peer": "\(peer)"]
                }
            })
        let turns = TurnQueues()
        let lag = EventLoopLag()
        let monitor = Monitor(
            configuration: MonitorConfiguration(settings), sha1Base64: SHA1Digest.base64,
            observer: { RunHealthEngine(rules, maximumLayers: settings.storage.maxNamesPerRun.value) }, logger: logger,
            folded: foldedLog, turns: turns, lag: lag)
        let configuration = HTTPConfiguration(settings, access: access.mode)
        let login = BrowserLogin(authenticator: authenticator, assets: assets, cors: configuration.cors)
        let http = try HTTPServer(
            configuration: configuration, routes: monitor.routes + login.routes, authenticator: authenticator,
            assets: assets, login: login, logger: logger, foldedLog: foldedLog, turns: turns)

        let threads = settings.listening.threads.value
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads > 0 ? threads : System.coreCount)
        try await turns.prepare(group)
        lag.watch(group)
        let listener = Listener(
            settings: settings, group: group, registry: registry, subscribers: monitor.subscribers, http: http,
            tls: tls.source, logger: logger,
            foldedLog: foldedLog,
            onListening: { address in
                // The signal handlers are installed by now, so a signal sent after the banner has its effect.
                Banner(settings: settings, address: address, tls: tls, access: access.mode).show()
            })
        let reload = Reload(
            settings: settings, tls: tls.source, authenticator: authenticator, assets: assets, rules: rules,
            logger: logger,
            signals: await UnixSignalsSequence(trapping: .sighup))
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: listener), .init(service: reload),
                    .init(service: MemoryTrimmer(interval: settings.storage.memoryTrimInterval.value)),
                    .init(service: FoldedLogWriter(log: foldedLog)),
                    .init(service: SilenceWatch(monitor: monitor)),
                    .init(service: ProgressWatch(monitor: monitor)),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "lifecycle") { _ in
                    SwiftLogNoOpLogHandler()
                })
        ).run()
        foldedLog.writeCounts(all: true)
        try await group.shutdownGracefully()
    }

    /// Reads files that a setting names.
    ///
    /// - Throws: `StartError` if reading takes longer than `time`, or the error of `work`.
    private static func read<Value: Sendable>(
        _ what: String, within time: Duration, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        do {
            return try await FileReader(what).read(within: time, work)
        } catch let failure as FileReader.Failure {
            throw StartError("\(what): \(failure)")
        }
    }
}

/// Writes the counts of folded log lines when their interval has ended.
struct FoldedLogWriter: Service {
    let log: FoldedLog

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(5))) != nil { log.writeCounts() }
        }
    }
}

/// Looks regularly for runs that have become silent. A run may be silent for half a minute before it counts.
struct SilenceWatch: Service {
    let monitor: Monitor

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(5))) != nil { await monitor.noteSilence() }
        }
    }
}

/// Looks each second for runs that have got steps, for subscribers in the form `runs`.
struct ProgressWatch: Service {
    let monitor: Monitor

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Older changes were known before the subscriber asked for this form.
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                await monitor.noteProgress(since: UTCTime(microseconds: UTCTime.now().microseconds - 5_000_000))
            }
        }
    }
}
