import ArgumentParser
import MonitorCore
import Webhooks

/// Who gets alerts, and how hard the server tries to deliver them.
struct AlertSettings: SettingsTopic {
    @Option(
        setting: "ALERT_WEBHOOKS", .webhooks, default: .none, secret: true,
        "Receivers of alerts: their formats and addresses.")
    var webhooks: Setting<WebhookList>

    @Option(
        setting: "ALERT_MIN_SEVERITY", .oneOf, default: .warning, "Least severity of an alert that is sent.")
    var minSeverity: Setting<AlertSeverity>

    @Option(
        setting: "ALERT_CA_FILE", .path("a PEM file"), default: nil,
        "Certificate authorities of receivers, instead of those that the system trusts.")
    var caFile: Setting<String?>

    @Option(
        setting: "ALERT_QUEUE", .count(1...10_000), default: 100,
        "Alerts that may wait for a receiver. Above it, the oldest one is lost.")
    var queue: Setting<Int>

    @Option(
        setting: "ALERT_CONNECT_TIMEOUT", .seconds, default: .seconds(5), "Time for a connection to a receiver.")
    var connectTimeout: Setting<Duration>

    @Option(
        setting: "ALERT_TIMEOUT", .seconds, default: .seconds(15),
        "Time for sending an alert and getting its answer, with the connection.")
    var timeout: Setting<Duration>

    @Option(
        setting: "ALERT_RETRIES", .count(0...1000), default: 12,
        "Times that an alert is sent again after an attempt that failed. Then it is lost.")
    var retries: Setting<Int>

    @Option(
        setting: "ALERT_RETRY_BASE", .seconds, default: .seconds(1),
        "Longest wait before an alert is sent again for the first time; it doubles with each further time.")
    var retryBase: Setting<Duration>

    @Option(
        setting: "ALERT_RETRY_MAX", .seconds, default: .seconds(300),
        "Longest wait before an alert is sent again, also if its receiver asks for a longer one.")
    var retryMax: Setting<Duration>

    @Option(
        setting: "ALERT_SHUTDOWN_GRACE", .seconds, default: .seconds(5),
        "Time for which waiting alerts are still sent after SIGTERM or SIGINT, once all requests are answered.")
    var shutdownGrace: Setting<Duration>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&webhooks)
        try reader.read(&minSeverity)
        try reader.read(&caFile)
        try reader.read(&queue)
        try reader.read(&connectTimeout)
        try reader.read(&timeout)
        try reader.read(&retries)
        try reader.read(&retryBase)
        try reader.read(&retryMax)
        try reader.read(&shutdownGrace)
    }

    func check() throws(SettingsError) {
        if let problem = webhooks.value.problem {
            throw webhooks.conflict("is not allowed: \(problem). Allowed: \(webhooks.descriptor.allowed)")
        }
        if connectTimeout.value > timeout.value {
            throw connectTimeout.conflict(
                "is longer than ALERT_TIMEOUT, which is for the connection too: set it to at most "
                    + "\(timeout.value / .seconds(1))")
        }
    }

    var warnings: [String] {
        guard caFile.value != nil, !webhooks.value.webhooks.contains(where: { $0.address.isSecure }) else { return [] }
        return ["NN_MONITOR_ALERT_CA_FILE has no effect: no address in ALERT_WEBHOOKS begins with https://"]
    }
}

/// The least severity of an alert that is sent.
enum AlertSeverity: String, Sendable, CaseIterable {
    case info, warning, critical

    /// The severity in the model.
    var level: AlertLevel {
        switch self {
        case .info: .info
        case .warning: .warning
        case .critical: .critical
        }
    }
}
