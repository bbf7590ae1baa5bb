/// What a reader needs to know of one setting: its names, default, allowed values and purpose.
///
/// The command line, the messages, the help and the tests all take these from here; nothing repeats them.
struct SettingFacts: Sendable, Hashable {
    /// The name without its prefix, such as `MAX_RUNS`.
    let name: String
    /// The default as a user would write it; nil where there is none.
    let defaultText: String?
    /// What is allowed, as it stands after "is not allowed:" in a message.
    let allowed: String
    /// What stands for the value in the help, such as `number`.
    let placeholder: String
    /// One sentence on what the setting does.
    let purpose: String
    /// Whether the value must never be shown.
    let isSecret: Bool

    /// The prefix of every setting's environment variable.
    static let prefix = "NN_MONITOR_"

    /// The name of the environment variable, and of the line in `.env`.
    var environmentName: String { Self.prefix + name }

    /// The command-line option without its dashes, such as `max-runs`.
    var optionName: String { name.lowercased().replacing("_", with: "-") }
}

/// A kind of value: how its text is read, and what to tell a reader whose text is refused.
struct ValueKind<Value: Sendable>: Sendable {
    /// What is allowed, in words.
    let allowed: String
    /// What stands for the value in the help.
    let placeholder: String
    /// The value, or nil when the text is not allowed.
    let parse: @Sendable (String) -> Value?
}

/// One setting with the type of its value.
struct Setting<Value: Sendable>: Sendable {
    let facts: SettingFacts
    let parse: @Sendable (String) -> Value?

    init(
        _ name: String, _ kind: ValueKind<Value>, default defaultText: String?, secret: Bool = false,
        _ purpose: String
    ) {
        facts = SettingFacts(
            name: name, defaultText: defaultText, allowed: kind.allowed, placeholder: kind.placeholder,
            purpose: purpose, isSecret: secret)
        parse = kind.parse
    }
}
