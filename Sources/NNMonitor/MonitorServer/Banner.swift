import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the server prints when it listens: where it is, who is let in, what the limits are.
struct Banner {
    let settings: Settings
    let address: SocketAddress?
    let tls: TLSSetup
    let access: Access.Policy

    var text: String {
        var query = if case .made(let token) = access { "/?token=\(token.text)" } else { "" }
        let scheme = tls.source == nil ? "http" : "https"
        let port = address?.port ?? settings.port
        var lines = ["NNMonitor listens on \(address?.ipAddress ?? settings.host) port \(port)", ""]
        for host in hosts {
            lines.append("  \(scheme)://\(host):\(port)\(query)")
            // A secret is shown once; the other addresses take the same.
            query = ""
        }
        lines += [
            "",
            "  TLS     \(tls.summary)",
            "  access  \(accessSummary)",
            "  metrics \(memorySummary)",
            "  trainer \(trainerEnvironment)",
            "  limits  \(settings.maxRuns) runs of \(settings.maxStepsPerRun) steps, \(settings.maxRequestSize) bytes a "
                + "request, \(settings.maxConnections) connections, \(settings.maxSubscribers) subscribers",
            "",
        ]
        return lines.joined(separator: "\n")
    }

    /// Names under which it can be reached, the one to click first.
    private var hosts: [String] {
        let host = settings.host
        switch host {
        case "0.0.0.0", "::":
            let name = ProcessInfo.processInfo.hostName
            return ["localhost"] + (name.isEmpty || name == "localhost" ? [] : [name])
        default:
            return [host.contains(":") ? "[\(host)]" : tls.source != nil && host == "127.0.0.1" ? "localhost" : host]
        }
    }

    private var memorySummary: String {
        switch settings.maxMemory {
        case 0: "without a limit of memory (MAX_MEMORY=0)"
        case nil: "at most \(settings.memoryLimit) bytes, a quarter of the memory that this process may use"
        default: "at most \(settings.memoryLimit) bytes"
        }
    }

    private var accessSummary: String {
        switch access {
        case .openOnLoopback: "open, on this machine only"
        case .off: "OPEN to everybody who can reach it (AUTH=off)"
        case .tokens(let count): "\(count) token\(count == 1 ? "" : "s")"
        case .made: "a token made for this start; the address above contains it and is shown once"
        }
    }

    /// The environment of a trainer on this machine that uses the Python client: one line to copy.
    ///
    /// The fingerprint makes the client accept exactly this certificate, so it needs no file of an authority.
    private var trainerEnvironment: String {
        let scheme = tls.source == nil ? "http" : "https"
        let url = "NN_MONITOR_URL=\(scheme)://\(hosts[0]):\(address?.port ?? settings.port)"
        return url + (tls.fingerprint.map { " NN_MONITOR_FINGERPRINT=\($0)" } ?? "")
    }

    /// Prints it to standard output, at once.
    func show() { LogOutput.standardOutput.put(Array((text + "\n").utf8)) }
}
