/// The rules that hold between settings.
extension Settings {
    /// Refuses values that contradict each other.
    func checkConsistency(_ sources: SettingsSources) throws(SettingsError) {
        if maxBodyMemory > 0, maxBodyMemory < 2 * maxRequestSize {
            throw conflict(
                SettingsTable.maxBodyMemory.facts, sources,
                "MAX_REQUEST_SIZE is \(maxRequestSize), and one body must leave room for others: at least "
                    + "\(2 * maxRequestSize) bytes are needed")
        }
        if tlsCertFile != nil, tlsKeyFile == nil {
            throw conflict(SettingsTable.tlsKeyFile.facts, sources, "TLS_CERT_FILE is set, and both or none are needed")
        }
        if tlsKeyFile != nil, tlsCertFile == nil {
            throw conflict(SettingsTable.tlsCertFile.facts, sources, "TLS_KEY_FILE is set, and both or none are needed")
        }
        if tls == .dev, tlsCertFile != nil {
            throw conflict(
                SettingsTable.tls.facts, sources,
                "TLS_CERT_FILE is set, and dev makes its own certificate: give one or the other")
        }
        if tlsClientCAFile != nil, !usesTLS {
            throw conflict(
                SettingsTable.tlsClientCAFile.facts, sources,
                "it needs TLS: set TLS_CERT_FILE and TLS_KEY_FILE, or TLS to dev")
        }
    }

    private func conflict(_ facts: SettingFacts, _ sources: SettingsSources, _ reason: String) -> SettingsError {
        let given = sources.given(facts)
        return .conflict(facts, value: given?.text, source: given?.source, reason: reason)
    }
}

/// What is worth a warning at start, though it doesn't stop it.
enum SettingsWarnings {
    /// One sentence for each ignored value, for each unknown `NN_MONITOR_*` name, and for each setting that is unwise or unused.
    static func all(for settings: Settings, from sources: SettingsSources) -> [String] {
        sources.ignored + sources.unknownNames.map { unknown(name: $0.name, source: $0.source) } + unwise(settings)
    }

    private static func unknown(name: String, source: SettingSource) -> String {
        // What follows the prefix is compared, so that "export NN_MONITOR_PORT" finds its name too.
        let upper = name.uppercased()
        let end = upper.ranges(of: SettingFacts.prefix).last?.upperBound ?? upper.startIndex
        let nearest = NearestName.nearest(to: String(upper[end...]), among: SettingsTable.all.map(\.name))
        let hint = nearest.map { "; the nearest is \(SettingFacts.prefix)\($0)" } ?? ""
        return "\(name.oneLine) (\(source)) is not a setting\(hint)"
    }

    /// Characters of base64 that hold 128 random bits.
    private static let shortestSafeToken = 22

    private static func unwise(_ settings: Settings) -> [String] {
        var warnings: [String] = []
        if settings.auth == .off, settings.authToken != nil || settings.authTokensFile != nil {
            warnings.append(
                "NN_MONITOR_AUTH is off: anybody may read and write, and the configured tokens are not used")
        }
        if settings.auth != .off, let token = settings.authToken, token.revealed.utf8.count < shortestSafeToken {
            warnings.append(
                "NN_MONITOR_AUTH_TOKEN has fewer than \(shortestSafeToken) characters, and the number of guesses is not "
                    + "limited: set a random one, such as 'NNMonitor token' makes")
        }
        if settings.tls == .off, settings.tlsCertFile != nil {
            warnings.append(
                "NN_MONITOR_TLS is off: the configured certificate is not used, and everything goes in clear")
        }
        return warnings
    }
}
