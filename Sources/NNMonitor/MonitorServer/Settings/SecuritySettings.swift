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
        "Wrong tokens per minute from one address that are answered with 401. Above it, they are answered with 429.")
    var authFailureLimit: Setting<Int>

    @Option(
        setting: "MAX_SESSIONS_PER_TOKEN", .count(1...4096), default: 256,
        "Browser sessions of one token. Above it, the token's oldest session ends.")
    var maxSessionsPerToken: Setting<Int>

    @Option(
        setting: "CORS_ORIGINS", .origins, default: [],
        "Origins, besides the server's own, whose pages may call the server from a browser.")
    var corsOrigins: Setting<[String]>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&authentication)
        try reader.read(&authToken)
        try reader.read(&authTokensFile)
        try reader.read(&authFailureLimit)
        try reader.read(&maxSessionsPerToken)
        try reader.read(&corsOrigins)
    }

    /// A token that is likely to have 128 random bits: the length of so many in base64.
    private static let shortestSafeToken = 22

    var warnings: [String] {
        if authentication.value == .off {
            guard authToken.value != nil || authTokensFile.value != nil else { return [] }
            return ["NN_MONITOR_AUTH is off: any client may read and write, and the configured tokens have no effect"]
        }
        guard let token = authToken.value, token.revealed.utf8.count < Self.shortestSafeToken else { return [] }
        return [
            "NN_MONITOR_AUTH_TOKEN has fewer than \(Self.shortestSafeToken) characters, and the number of guesses is not "
                + "limited: set a random token, such as 'NNMonitor token' generates"
        ]
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
