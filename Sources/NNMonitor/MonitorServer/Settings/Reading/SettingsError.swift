/// Where a value was found.
enum SettingSource: Sendable, Hashable, CustomStringConvertible {
    case option(String)
    case environment
    case file(String)
    /// Nobody gave one: the default.
    case builtIn

    /// As it stands in a message: "from the environment".
    var description: String {
        switch self {
        case .option(let name): "from the option --\(name)"
        case .environment: "from the environment"
        case .file(let path): "from \(path.oneLine)"
        case .builtIn: "the default"
        }
    }
}

/// Why the settings don't allow a start. The description is one line and never shows a secret.
enum SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text is none of what the setting allows.
    case notAllowed(SettingFacts, value: String, source: SettingSource)
    /// The value is fine by itself, but not together with another setting.
    case conflict(SettingFacts, value: String?, source: SettingSource?, reason: String)
    /// The `.env` file is there and can't be read.
    case unreadableFile(path: String, reason: String)

    var description: String {
        switch self {
        case .notAllowed(let facts, let value, let source):
            "\(facts.environmentName): \(Self.shown(value, of: facts)) (\(source)) is not allowed: \(facts.allowed)"
        case .conflict(let facts, let value?, let source?, let reason):
            "\(facts.environmentName): \(Self.shown(value, of: facts)) (\(source)) is not allowed: \(reason)"
        case .conflict(let facts, _, _, let reason):
            "\(facts.environmentName): no value is not allowed: \(reason)"
        case .unreadableFile(let path, let reason):
            "\(path.oneLine): \(reason.oneLine)"
        }
    }

    private static func shown(_ value: String, of facts: SettingFacts) -> String {
        facts.isSecret ? "the value" : "'\(value.oneLine)'"
    }
}

extension String {
    /// The text up to its first control character, at most 100 characters of it: a message stays one line,
    /// and what follows a stray line break (which may be another setting, and secret) is not shown.
    var oneLine: String {
        var shown = String(String.UnicodeScalarView(unicodeScalars.prefix(100).prefix { !$0.isControl }))
        if shown.unicodeScalars.count < unicodeScalars.count { shown += "…" }
        return shown
    }
}
