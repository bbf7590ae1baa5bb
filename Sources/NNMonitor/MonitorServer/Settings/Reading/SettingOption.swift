import ArgumentParser

extension Option {
    /// Declares a setting, and with it its command-line option.
    ///
    /// The option accepts any text, also one that begins with a dash: the texts of all three sources are checked in one
    /// place, by `Setting.read(from:)`.
    ///
    /// - Parameters:
    ///   - name: The name without its prefix, such as `MAX_RUNS`.
    ///   - parser: Reads the value, and describes its unit and what is allowed.
    ///   - value: The default.
    ///   - defaultPhrase: Describes a default that is computed at start. Without it, the documentation shows the value.
    ///   - secret: Whether the value must never be printed.
    ///   - purpose: One sentence on what the setting does.
    init<Parsed: Sendable>(
        setting name: String, _ parser: SettingParser<Parsed>, default value: Parsed, defaultPhrase: String? = nil,
        secret: Bool = false, _ purpose: String
    ) where Value == Setting<Parsed> {
        let setting = Setting(
            name, parser, default: value, defaultPhrase: defaultPhrase, secret: secret, purpose)
        self.init(
            wrappedValue: setting, name: .customLong(setting.descriptor.optionName), parsing: .unconditional,
            help: setting.descriptor.argumentHelp, transform: { setting.givenAsOption($0) })
    }
}

extension SettingDescriptor {
    /// The help of the option: purpose, allowed values, default, environment variable.
    fileprivate var argumentHelp: ArgumentHelp {
        ArgumentHelp(
            "\(purpose) Allowed: \(allowed). (default: \(defaultText); \(environmentName))", valueName: placeholder)
    }
}
