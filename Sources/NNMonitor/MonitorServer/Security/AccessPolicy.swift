import HTTPService
import MonitorAPI
import NIOCore
import TLS

/// Which tokens the server accepts, as the settings determine it. SECURITY.md describes the rules.
struct AccessPolicy {
    /// Why these tokens are accepted, for the banner.
    enum Mode {
        /// No token is required, because the server listens on loopback only.
        case openOnLoopback
        /// No token is required, because NN_MONITOR_AUTH is off.
        case off
        /// The number of configured tokens.
        case tokens(Int)
        /// One token, generated for this start.
        case generated(AccessToken)
    }

    let table: TokenTable
    let mode: Mode

    /// Determines the policy at start.
    ///
    /// - Throws: `StartError` for a tokens file that cannot be used.
    init(_ settings: Settings) throws {
        let security = settings.security
        if security.authentication.value == .off {
            (table, mode) = (.open, .off)
            return
        }
        let entries = try Self.configuredEntries(security)
        if !entries.isEmpty || security.authTokensFile.value != nil {
            (table, mode) = (TokenTable(entries: entries), .tokens(entries.count))
        } else if Self.isLoopback(settings.listening.host.value) {
            (table, mode) = (.open, .openOnLoopback)
        } else {
            let token = AccessToken.random()
            (table, mode) = (TokenTable(entries: [Self.entry("start", token.text)]), .generated(token))
        }
    }

    /// Reads the configured tokens again; `nil` when no tokens file is in use.
    ///
    /// - Throws: `StartError` for a tokens file that cannot be used.
    static func reloaded(_ security: SecuritySettings) throws -> TokenTable? {
        guard security.authentication.value != .off, security.authTokensFile.value != nil else { return nil }
        return TokenTable(entries: try configuredEntries(security))
    }

    private static func configuredEntries(_ security: SecuritySettings) throws -> [TokenTable.Entry] {
        var entries = security.authToken.value.map { [entry("NN_MONITOR_AUTH_TOKEN", $0.revealed)] } ?? []
        guard let file = security.authTokensFile.value else { return entries }
        func error(_ reason: String) -> StartError {
            StartError(security.authTokensFile.descriptor, value: file, reason: reason)
        }
        let bytes: [UInt8]
        do {
            bytes = try TextFile.bytes(of: file)
        } catch let reason {
            throw error("\(reason)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw error("it is not UTF-8 text") }
        do {
            entries += try TokenFile.parse(text, file: file, scopes: Scope.all)
        } catch let reason {
            throw error("\(reason)")
        }
        return entries
    }

    /// An entry with every scope.
    private static func entry(_ name: String, _ token: String) -> TokenTable.Entry {
        TokenTable.Entry(name: name, scopes: ScopeSet(Scope.all), digest: SHA256Digest.hash(token.utf8))
    }

    /// Whether only this machine reaches a server that listens on `host`.
    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        // The system prints each address in one canonical form, so text can be compared.
        guard let address = (try? SocketAddress(ipAddress: host, port: 0))?.ipAddress else { return false }
        return address == "::1" || address.hasPrefix("127.")
    }
}
