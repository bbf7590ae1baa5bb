import Logging
import MonitorAPI
import MonitorCore

extension Monitor {
    /// A monitor for tests without an opening handshake, which alone needs SHA-1.
    convenience init(
        configuration: MonitorConfiguration, store: (any MetricsStoring)? = nil,
        logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.init(configuration: configuration, sha1Base64: { _ in "" }, store: store, logger: logger)
    }
}
