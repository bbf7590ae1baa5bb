import ArgumentParser

/// Which clients may use the server.
struct SecuritySettings: SettingsTopic {
    @Option(
        setting: "AUTH", .oneOf, default: .auto,
        "Whether clients need a token: auto means yes, except on loopback with no token configured.")
    var authentication: Setting<AuthenticationMode>

    @Option(
        setting: "AUTH_TOKEN", .token, default: nil, secret: true, "One token with every scope.")
    var authToken: Setting<SecretText?>

    @Option(
        setting: "AUTH_TOKENS_FILE", .path("a file with lines name:scopes:sha256-of-token"), default: nil,
        "Tokens with their scopes, in the format that 'NNMonitor token' prints.")
    var authTokensFile: Setting<String?>

    @Option(
        setting: "AUTH_FAILURE_LIMIT", .count(1...1_000_000), default: 20,
        "Failed logins per minute from one address. Above it, logins are answered with 429.")
    var authFailureLimit: Setting<Int>

    @Option(
        setting: "CORS_ORIGINS", .origins, default: ["*"],
        "Origins whose pages may call the server from a browser.")
    var corsOrigins: Setting<[String]>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&authentication)
        try reader.read(&authToken)
        try reader.read(&authTokensFile)
        try reader.read(&authFailureLimit)
        try reader.read(&corsOrigins)
    }

    var warnings: [String] {
        guard authentication.value == .off, authToken.value != nil || authTokensFile.value != nil else { return [] }
        return ["NN_MONITOR_AUTH is off: any client may read and write, and the configured tokens have no effect"]
    }
}

/// Whether clients must authenticate.
enum AuthenticationMode: String, Sendable, CaseIterable {
    /// With tokens, except on loopback when no token is configured. On other addresses without a configured token, the
    /// server generates one at start.
    case auto
    /// Without tokens.
    case off
}
