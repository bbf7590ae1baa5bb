/// Where a value came from.
enum SettingSource: Sendable, Hashable, CustomStringConvertible {
    case option(String)
    case environment
    case file(String)
    /// No source had a value, so the default is used.
    case builtIn

    /// As messages show it: "from the environment".
    var description: String {
        switch self {
        case .option(let name): "from the option --\(name)"
        case .environment: "from the environment"
        case .file(let path): "from \(path.oneLine)"
        case .builtIn: "the default"
        }
    }
}

/// Why the server cannot start with these settings. The description is one line and never contains a secret.
enum SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text is not an allowed value of the setting.
    case notAllowed(SettingDescriptor, value: String, source: SettingSource)
    /// The value is allowed by itself, but not in combination with another setting.
    case conflict(SettingDescriptor, value: String, source: SettingSource, reason: String)
    /// The setting has no value, and another setting requires one.
    case required(SettingDescriptor, when: String)
    /// The `.env` file exists but cannot be used.
    case unreadableFile(path: String, reason: String)

    var description: String {
        switch self {
        case .notAllowed(let setting, let value, let source):
            "\(setting.environmentName): \(Self.shown(value, of: setting)) (\(source)) is not allowed. "
                + "Allowed: \(setting.allowed)"
        case .conflict(let setting, let value, let source, let reason):
            "\(setting.environmentName): \(Self.shown(value, of: setting)) (\(source)) \(reason)"
        case .required(let setting, let condition):
            "\(setting.environmentName) is required when \(condition)"
        case .unreadableFile(let path, let reason):
            "\(path.oneLine): \(reason.oneLine)"
        }
    }

    private static func shown(_ value: String, of setting: SettingDescriptor) -> String {
        setting.isSecret ? "the value" : "'\(value.oneLine)'"
    }
}

extension String {
    /// The text up to its first control character, at most 100 characters of it. So a message stays one line, and text
    /// after a stray line break, which may be another setting and secret, is not printed.
    var oneLine: String {
        var shown = String(String.UnicodeScalarView(unicodeScalars.prefix(100).prefix { !$0.isControl }))
        if shown.unicodeScalars.count < unicodeScalars.count { shown += "…" }
        return shown
    }
}
