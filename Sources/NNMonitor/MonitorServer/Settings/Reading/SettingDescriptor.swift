/// What users need to know about one setting: its names, default, allowed values and purpose.
///
/// Options, `--help`, error messages, hints and the check of CONFIGURATION.md are all derived from it.
struct SettingDescriptor: Sendable, Hashable {
    /// How the documentation shows the default.
    enum Default: Sendable, Hashable {
        /// The setting is unset by default.
        case none
        /// The text that a user would type, such as `10`.
        case literal(String)
        /// A description of a default that is computed at start, such as "a quarter of the machine's memory".
        case phrase(String)
    }

    /// The name without its prefix, such as `MAX_RUNS`.
    let name: String
    let defaultValue: Default
    /// The allowed values, in words.
    let allowed: String
    /// The placeholder for the value in the help: its unit where it has one, such as `seconds`.
    let placeholder: String
    /// One sentence on what the setting does.
    let purpose: String
    /// Whether the value must never be printed.
    let isSecret: Bool

    /// The prefix of every setting's environment variable.
    static let prefix = "NN_MONITOR_"

    /// The name of the environment variable, and of the line in `.env`.
    var environmentName: String { Self.prefix + name }

    /// The command-line option without its dashes, such as `max-runs`.
    var optionName: String { name.lowercased().replacing("_", with: "-") }

    /// The default as the help shows it.
    var defaultText: String {
        switch defaultValue {
        case .none: "none"
        case .literal(let text), .phrase(let text): text
        }
    }
}
