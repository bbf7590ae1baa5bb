/// One setting: its declaration and its value, which is the default until ``read(from:)`` finds another.
struct Setting<Value: Sendable>: Sendable {
    let descriptor: SettingDescriptor
    /// The value in use.
    private(set) var value: Value
    /// Where the value came from.
    private(set) var source = SettingSource.builtIn

    private let parser: SettingParser<Value>
    /// The text of the command-line option, or after reading the text that the value was parsed from.
    private var text: SecretText?

    /// - Parameters:
    ///   - name: The name without its prefix, such as `MAX_RUNS`.
    ///   - parser: Reads the value and describes what is allowed.
    ///   - value: The default.
    ///   - defaultPhrase: Describes a default that is computed at start. Without it, the documentation shows the value.
    ///   - secret: Whether the value must never be printed.
    ///   - purpose: One sentence on what the setting does.
    init(
        _ name: String, _ parser: SettingParser<Value>, default value: Value, defaultPhrase: String?, secret: Bool,
        _ purpose: String
    ) {
        self.value = value
        self.parser = parser
        descriptor = SettingDescriptor(
            name: name,
            defaultValue: defaultPhrase.map { .phrase($0) } ?? parser.format(value).map { .literal($0) } ?? .none,
            allowed: parser.allowed, placeholder: parser.placeholder, purpose: purpose, isSecret: secret)
    }

    /// The setting with the text of its command-line option, which ``read(from:)`` parses.
    func givenAsOption(_ text: String) -> Self {
        var copy = self
        copy.text = SecretText(revealed: text)
        return copy
    }

    /// Parses the text of the first source that has one: the option, the environment, then the `.env` file. Keeps the
    /// default when no source has one.
    ///
    /// - Throws: ``SettingsError/notAllowed(_:value:source:)`` when that text is not allowed.
    mutating func read(from sources: SettingsSources) throws(SettingsError) {
        let option = text.map { (text: $0.revealed, source: SettingSource.option(descriptor.optionName)) }
        guard let given = option ?? sources.given(descriptor) else { return }
        guard let value = parser.parse(given.text) else {
            throw .notAllowed(descriptor, value: given.text, source: given.source)
        }
        self.value = value
        source = given.source
        text = SecretText(revealed: given.text)
    }

    /// The error for a value that is allowed by itself but not in combination with other settings.
    ///
    /// - Parameter reason: What is wrong and what to do; continues the sentence "NAME: 'value' (from ...)".
    /// - Returns: The error, to be thrown by the topic's `check()`.
    func conflict(_ reason: String) -> SettingsError {
        .conflict(descriptor, value: text?.revealed ?? descriptor.defaultText, source: source, reason: reason)
    }
}
