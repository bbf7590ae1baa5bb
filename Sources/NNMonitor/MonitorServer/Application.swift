import HTTPService
import Logging
import MonitorAPI
import MonitorCore
import NIOCore
import NIOPosix
import TLS
import ServiceLifecycle
import UnixSignals

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The server as a whole: puts the parts together and runs them until it is told to stop.
enum Application {
    /// Runs the server until SIGTERM or SIGINT.
    ///
    /// - Parameter settings: the settings.
    /// - Throws: `StartError`, `TLSError` or `HTTPServiceError`, each in one line, when it cannot start.
    static func run(settings: Settings) async throws {
        FreedMemory.keepForNextRequest()
        let logger = Logger(label: "nnmonitor")
        if let files = OpenFiles.raiseLimit(), files < UInt(settings.maxConnections) + 64 {
            logger.warning(
                "the limit of open files is below MAX_CONNECTIONS; raise it with ulimit -n",
                metadata: ["limit": "\(files)", "max_connections": "\(settings.maxConnections)"])
        }
        let access = try await read("tokens", settings) { try Access(settings) }
        let tls = try await read("TLS certificate", settings) { try TLSSetup(settings) }
        let assets = StaticAssets(try await read("static files", settings) { try StaticFolder.load(settings) })
        let strangers = FoldedLog(logger: logger)
        let authenticator = Authenticator(
            table: access.table, failureLimit: settings.authFailureLimit,
            sessionLimitPerToken: settings.maxSessionsPerToken, digest: { SHA256Digest.hash($0) })
        let registry = ConnectionRegistry(
            limit: settings.maxConnections, limitPerAddress: settings.maxConnectionsPerAddress,
            onRefusal: { refusal, peer in
                strangers.note(refusal.rawValue, level: .warning, "connection refused") {
                    ["limit": "\(refusal.rawValue)", "peer": "\(peer)"]
                }
            })
        let monitor = Monitor(
            configuration: MonitorConfiguration(settings), sha1Base64: SHA1Digest.base64, logger: logger,
            folded: strangers, onSubscriber: { registry.becameSubscriber($0) })
        let http = try HTTPServer(
            configuration: HTTPConfiguration(settings, access: access.policy), routes: monitor.routes,
            authenticator: authenticator, assets: assets, logger: logger, strangers: strangers)

        let threads = settings.threads > 0 ? settings.threads : System.coreCount
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let listener = Listener(
            settings: settings, group: group, registry: registry, http: http, tls: tls.source, logger: logger,
            strangers: strangers,
            onListening: { address in
                // Signals are caught by now: whoever reads the banner may send them.
                Banner(settings: settings, address: address, tls: tls, access: access.policy).show()
            })
        let reload = Reload(
            settings: settings, tls: tls.source, authenticator: authenticator, assets: assets, logger: logger,
            signals: await UnixSignalsSequence(trapping: .sighup))
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: listener), .init(service: reload), .init(service: FreedMemory()),
                    .init(service: FoldedCounts(log: strangers)),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "lifecycle") { _ in
                    SwiftLogNoOpLogHandler()
                })
        ).run()
        strangers.writeCounts(all: true)
        try await group.shutdownGracefully()
    }

    /// Reads files that a setting names, within a time.
    private static func read<Value: Sendable>(
        _ what: String, _ settings: Settings, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        do {
            return try await FileReader(what).read(within: settings.fileTimeout, work)
        } catch let failure as FileReader.Failure {
            throw StartError("\(what): \(failure)")
        }
    }
}

/// Writes the counts of folded log lines when their interval has ended.
struct FoldedCounts: Service {
    let log: FoldedLog

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(5))) != nil { log.writeCounts() }
        }
    }
}

/// Where the dashboard's files are.
enum StaticFolder {
    /// Reads the files.
    ///
    /// - Throws: `StartError` that names the setting.
    static func load(_ settings: Settings) throws -> StaticAssets.Contents {
        let folder = try find(settings)
        do {
            return try StaticAssets.contents(of: folder)
        } catch {
            throw StartError(SettingsTable.staticDir.facts, value: folder, reason: "\(error)")
        }
    }

    /// The configured folder, or `static` in the working directory, beside the executable, or in a folder above it (as
    /// when it runs from `.build`).
    private static func find(_ settings: Settings) throws -> String {
        if let configured = settings.staticDir { return configured }
        var candidates = ["static"]
        var folder = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
        if let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            folder = URL(fileURLWithPath: executable)
        }
        for _ in 0..<5 {
            folder.deleteLastPathComponent()
            candidates.append(folder.appendingPathComponent("static").path)
        }
        let found = candidates.first { FileManager.default.fileExists(atPath: $0 + "/index.html") }
        guard let found else {
            throw StartError(
                "the folder 'static' with the dashboard's files was not found in the working directory or beside the "
                    + "executable; name it with NN_MONITOR_STATIC_DIR")
        }
        return found
    }
}
