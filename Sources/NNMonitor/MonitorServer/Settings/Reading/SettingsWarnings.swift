/// The rules that hold between settings.
extension Settings {
    /// Refuses values that contradict each other.
    func checkConsistency(_ sources: SettingsSources) throws(SettingsError) {
        if maxBodyMemory > 0, maxBodyMemory < maxRequestSize {
            throw conflict(
                SettingsTable.maxBodyMemory.facts, sources,
                "MAX_REQUEST_SIZE is \(maxRequestSize), and one body must have room")
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
    /// One sentence for each `NN_MONITOR_*` name that is no setting, and for settings that are not in use.
    static func all(for settings: Settings, from sources: SettingsSources) -> [String] {
        sources.unknownNames.map { unknown(name: $0.name, source: $0.source) } + unused(settings)
    }

    private static func unknown(name: String, source: SettingSource) -> String {
        // What follows the prefix is compared, so that "export NN_MONITOR_PORT" finds its name too.
        let upper = name.uppercased()
        let end = upper.ranges(of: SettingFacts.prefix).last?.upperBound ?? upper.startIndex
        let nearest = NearestName.nearest(to: String(upper[end...]), among: SettingsTable.all.map(\.name))
        let hint = nearest.map { "; the nearest is \(SettingFacts.prefix)\($0)" } ?? ""
        return "\(name.oneLine) (\(source)) is not a setting\(hint)"
    }

    private static func unused(_ settings: Settings) -> [String] {
        var warnings: [String] = []
        if settings.auth == .off, settings.authToken != nil || settings.authTokensFile != nil {
            warnings.append(
                "NN_MONITOR_AUTH is off: anybody may read and write, and the configured tokens are not used")
        }
        if settings.tls == .off, settings.tlsCertFile != nil {
            warnings.append(
                "NN_MONITOR_TLS is off: the configured certificate is not used, and everything goes in clear")
        }
        return warnings
    }
}
