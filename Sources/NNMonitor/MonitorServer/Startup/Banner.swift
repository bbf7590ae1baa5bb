import NIOCore
import Webhooks

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the server prints to standard output once it listens: addresses, TLS, access and limits.
struct Banner {
    let settings: Settings
    let address: SocketAddress?
    let tls: TLSSetup
    let access: AccessPolicy.Mode

    var text: String {
        var query = if case .generated(let token) = access { "/?token=\(token.text)" } else { "" }
        let scheme = tls.source == nil ? "http" : "https"
        let port = address?.port ?? settings.listening.port.value
        var lines = ["NNMonitor listens on \(address?.ipAddress ?? settings.listening.host.value) port \(port)", ""]
        for host in hosts {
            lines.append("  \(scheme)://\(host):\(port)\(query)")
            // The token is shown once; it is valid under the other addresses too.
            query = ""
        }
        let storage = settings.storage
        lines += [
            "",
            "  TLS     \(tls.summary)",
            "  access  \(accessSummary)",
            "  metrics \(memorySummary)",
            "  trainer \(trainerEnvironment)",
        ]
        let receivers = settings.alerts.webhooks.value.webhooks.map(\.name)
        if !receivers.isEmpty { lines.append("  alerts  to \(receivers.joined(separator: ", "))") }
        lines += [
            "  limits  \(storage.maxRuns.value) runs of \(storage.maxStepsPerRun.value) steps, "
                + "\(settings.requests.maxRequestSize.value) bytes a request, "
                + "\(settings.connections.maxConnections.value) connections, "
                + "\(settings.webSocket.maxSubscribers.value) subscribers",
            "",
        ]
        return lines.joined(separator: "\n")
    }

    /// The host names under which clients reach the server, the most useful first.
    private var hosts: [String] {
        let host = settings.listening.host.value
        switch host {
        case "0.0.0.0", "::":
            let name = ProcessInfo.processInfo.hostName
            return ["localhost"] + (name.isEmpty || name == "localhost" ? [] : [name])
        default:
            return [host.contains(":") ? "[\(host)]" : tls.source != nil && host == "127.0.0.1" ? "localhost" : host]
        }
    }

    /// The environment of a trainer on this machine that uses the Python client: one line to copy.
    ///
    /// With the fingerprint the client accepts exactly this certificate, so it needs no file of an authority.
    private var trainerEnvironment: String {
        let scheme = tls.source == nil ? "http" : "https"
        let url = "NN_MONITOR_URL=\(scheme)://\(hosts[0]):\(address?.port ?? settings.listening.port.value)"
        return url + (tls.fingerprint.map { " NN_MONITOR_FINGERPRINT=\($0)" } ?? "")
    }

    private var memorySummary: String {
        let limit = settings.storage.memoryLimit
        return switch settings.storage.maxMemory.value {
        case 0: "no memory limit (MAX_MEMORY=0)"
        case nil: "at most \(limit) bytes, a quarter of the memory that this process may use"
        default: "at most \(limit) bytes"
        }
    }

    private var accessSummary: String {
        switch access {
        case .openOnLoopback: "open, from this machine only"
        case .off: "OPEN to any client that reaches it (AUTH=off)"
        case .tokens(let count): "\(count) token\(count == 1 ? "" : "s")"
        case .generated: "a token generated for this start; the address above contains it and is shown once"
        }
    }

    /// Prints the banner to standard output without buffering.
    func show() { LogOutput.standardOutput.put(Array((text + "\n").utf8)) }
}
