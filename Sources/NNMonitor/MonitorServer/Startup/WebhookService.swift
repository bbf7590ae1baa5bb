import HTTPService
import NIOCore
import ServiceLifecycle
import TLS
import Webhooks

/// Sends alerts until the server stops, then for a limited time those that are queued.
struct WebhookService: Service {
    let webhooks: Webhooks

    /// Makes the receivers of alerts.
    ///
    /// - Parameters:
    ///   - settings: the settings, read and checked.
    ///   - group: runs the connections.
    ///   - log: gets lines about lost messages and failed attempts.
    /// - Returns: `nil` if the settings name no receiver.
    /// - Throws: `StartError` that names the setting of the file that cannot be used.
    static func make(_ settings: Settings, group: any EventLoopGroup, log: FoldedLog) throws -> Webhooks? {
        let configuration = WebhooksConfiguration(settings)
        guard !configuration.webhooks.isEmpty else { return nil }
        do {
            return try Webhooks(configuration, group: group) { line in
                log.note(line.cause, level: line.level, line.message) { line.metadata }
            }
        } catch let error as TLSError {
            let setting = settings.alerts.caFile
            guard let file = setting.value else { throw StartError("\(error)") }
            throw StartError(setting.descriptor, value: file, reason: "\(error)")
        }
    }

    func run() async throws {
        await withGracefulShutdownHandler {
            await webhooks.run()
        } onGracefulShutdown: {
            webhooks.stop()
        }
    }
}
