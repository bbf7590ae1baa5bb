import HTTPService
import MonitorAPI
import MonitorCore
import NIOCore
import WebSocket
import Webhooks

// The configuration of each component, from the settings.

extension MonitorConfiguration {
    init(_ settings: Settings) {
        self.init()
        let storage = settings.storage
        store = StoreLimits(
            runs: storage.maxRuns.value, stepsPerRun: storage.maxStepsPerRun.value, memory: storage.storedLimit,
            namesPerRun: storage.maxNamesPerRun.value)
        memory = storage.memoryLimit
        readMemory = storage.readLimit
        minimumReadRate = settings.connections.minReadRate.value
        readRateWindow = TimeAmount(settings.connections.readRateWindow.value)
        readStallTimeout = TimeAmount(settings.connections.readStallTimeout.value)
        steps = OpenStepLimits(
            scalars: settings.requests.maxScalars.value, metrics: settings.requests.maxMetrics.value)
        maximumLineSize = settings.requests.maxRequestSize.value
        let subscribers = settings.webSocket
        queue = QueueLimits(
            messages: subscribers.subscriberQueue.value, bytes: subscribers.subscriberQueueBytes.value)
        maximumSubscribers = subscribers.maxSubscribers.value
        stallTimeout = TimeAmount(subscribers.subscriberStallTimeout.value)
        link = RunLink(prefix: settings.listening.publicURL.value)
        webSocket = WebSocketConfiguration(
            maximumMessageSize: subscribers.maxMessageSize.value,
            pingInterval: TimeAmount(subscribers.pingInterval.value),
            pongTimeout: TimeAmount(subscribers.pongTimeout.value),
            maximumExpansionRatio: subscribers.maxExpansionRatio.value,
            maximumMessageRate: subscribers.maxMessageRate.value)
    }
}

extension HTTPConfiguration {
    init(_ settings: Settings, access: AccessPolicy.Mode) {
        self.init()
        let requests = settings.requests
        maximumRequestSize = requests.maxRequestSize.value
        maximumBatchSize = requests.batchLimit
        maximumExpansionRatio = requests.maxExpansionRatio.value
        maximumBodyMemory = requests.bodyMemoryLimit
        bodyStallTimeout = TimeAmount(settings.connections.bodyStallTimeout.value)
        maximumHeaderBytes = requests.maxHeaderSize.value
        maximumHeaderCount = requests.maxHeaderCount.value
        let connections = settings.connections
        headTimeout = TimeAmount(connections.headerTimeout.value)
        bodyTimeout = TimeAmount(connections.bodyTimeout.value)
        idleTimeout = TimeAmount(connections.idleTimeout.value)
        writeTimeout = TimeAmount(connections.writeTimeout.value)
        minimumReadRate = connections.minReadRate.value
        readRateWindow = TimeAmount(connections.readRateWindow.value)
        cors = CORSPolicy(settings.security.corsOrigins.value)
        // Browsers apply HSTS to every port of the host. On a port other than 443, a default would break other servers
        // on the same host.
        hstsMaxAge = settings.tls.hstsMaxAge.value ?? (settings.listening.port.value == 443 ? 31_536_000 : nil)
        // A server without tokens is safe only as long as just this machine reaches it. A web page can get around that
        // by resolving its own host name to a loopback address (DNS rebinding), so foreign host names are refused.
        if case .openOnLoopback = access { allowedHosts = [] }
    }
}

extension WebhooksConfiguration {
    init(_ settings: Settings) {
        self.init()
        let alerts = settings.alerts
        webhooks = alerts.webhooks.value.webhooks
        minimumSeverity = alerts.minSeverity.value.level
        authorityFile = alerts.caFile.value
        queueLimit = alerts.queue.value
        connectTimeout = TimeAmount(alerts.connectTimeout.value)
        timeout = TimeAmount(alerts.timeout.value)
        retries = alerts.retries.value
        retryBase = TimeAmount(alerts.retryBase.value)
        retryMaximum = TimeAmount(alerts.retryMax.value)
        shutdownGrace = TimeAmount(alerts.shutdownGrace.value)
        link = RunLink(prefix: settings.listening.publicURL.value)
    }
}
