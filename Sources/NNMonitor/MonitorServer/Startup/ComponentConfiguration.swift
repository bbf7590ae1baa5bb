import HTTPService
import MonitorAPI
import MonitorCore
import NIOCore
import WebSocket

/// The settings as each part takes them.
extension MonitorConfiguration {
    init(_ settings: Settings) {
        self.init()
        store = StoreLimits(
            runs: settings.maxRuns, stepsPerRun: settings.maxStepsPerRun, memory: settings.maxMemory)
        queue = QueueLimits(messages: settings.subscriberQueue, bytes: settings.subscriberQueueBytes)
        maximumSubscribers = settings.maxSubscribers
        stallTimeout = TimeAmount(settings.subscriberStallTimeout)
        webSocket = WebSocketConfiguration(
            maximumMessageSize: settings.wsMaxMessageSize, pingInterval: TimeAmount(settings.wsPingInterval),
            pongTimeout: TimeAmount(settings.wsPongTimeout))
    }
}

extension HTTPConfiguration {
    init(_ settings: Settings, access: Access.Policy) {
        self.init()
        maximumRequestSize = settings.maxRequestSize
        maximumExpansionRatio = settings.maxExpansionRatio
        let bodies = settings.maxBodyMemory
        maximumBodyMemory = bodies > 0 ? bodies : max(268_435_456, 4 * settings.maxRequestSize)
        maximumHeaderBytes = settings.maxHeaderSize
        maximumHeaderCount = settings.maxHeaderCount
        headTimeout = TimeAmount(settings.headerTimeout)
        bodyTimeout = TimeAmount(settings.bodyTimeout)
        idleTimeout = TimeAmount(settings.idleTimeout)
        writeTimeout = TimeAmount(settings.writeTimeout)
        cors = CORSPolicy(settings.corsOrigins)
        // A server that is open because only this machine reaches it must not be reached through a browser that was
        // given a foreign name for it (DNS rebinding).
        if case .openOnLoopback = access { allowedHosts = [] }
    }
}
