import HTTPService
import NIOCore
import TLS

/// Who is let in, as the settings say (wire contract, part I, section 6).
struct Access {
    /// What the banner says of it.
    enum Policy {
        /// No token is asked for, because the server listens on loopback only.
        case openOnLoopback
        /// No token is asked for, because somebody said so.
        case off
        /// So many tokens are configured.
        case tokens(Int)
        /// One token was made for this start.
        case made(AccessToken)
    }

    let table: TokenTable
    let policy: Policy

    /// Decides at start.
    ///
    /// - Parameter settings: the settings.
    /// - Throws: `StartError` for a tokens file that can't be used.
    init(_ settings: Settings) throws {
        if settings.auth == .off {
            (table, policy) = (.open, .off)
            return
        }
        let entries = try Self.configuredEntries(settings)
        if !entries.isEmpty || settings.authTokensFile != nil {
            (table, policy) = (TokenTable(entries: entries), .tokens(entries.count))
        } else if Self.isLoopback(settings.host) {
            (table, policy) = (.open, .openOnLoopback)
        } else {
            let token = AccessToken.random()
            (table, policy) = (TokenTable(entries: [Self.entry("start", token.text)]), .made(token))
        }
    }

    /// Reads the configured tokens again; `nil` when the tokens come from elsewhere than a file.
    static func reloaded(_ settings: Settings) throws -> TokenTable? {
        guard settings.auth != .off, settings.authTokensFile != nil else { return nil }
        return TokenTable(entries: try configuredEntries(settings))
    }

    private static func configuredEntries(_ settings: Settings) throws -> [TokenTable.Entry] {
        var entries = settings.authToken.map { [entry("NN_MONITOR_AUTH_TOKEN", $0.revealed)] } ?? []
        guard let file = settings.authTokensFile else { return entries }
        let bytes: [UInt8]
        do {
            bytes = try TextFile.bytes(of: file)
        } catch {
            throw StartError(SettingsTable.authTokensFile.facts, value: file, reason: "it cannot be read: \(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StartError(SettingsTable.authTokensFile.facts, value: file, reason: "it cannot be read as UTF-8 text")
        }
        do {
            entries += try TokenFile.parse(text, file: file)
        } catch {
            throw StartError(SettingsTable.authTokensFile.facts, value: file, reason: "\(error)")
        }
        return entries
    }

    /// An entry with every scope.
    private static func entry(_ name: String, _ token: String) -> TokenTable.Entry {
        TokenTable.Entry(name: name, scopes: Set(Scope.allCases), digest: SHA256Digest.hash(token.utf8))
    }

    /// Whether a host to listen on is reached from this machine only.
    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        // In the form in which the system writes it, of which there is one for each address.
        guard let address = (try? SocketAddress(ipAddress: host, port: 0))?.ipAddress else { return false }
        return address == "::1" || address.hasPrefix("127.")
    }
}
