import ArgumentParser

/// A group of related settings, each declared as a property `@Option(setting:...) var name: Setting<Value>`.
protocol SettingsTopic: ParsableArguments, Sendable {
    /// Reads every setting of the topic, in the order in which they are declared.
    ///
    /// - Throws: The ``SettingsError`` of the first value that is not allowed.
    mutating func read(with reader: inout SettingsReader) throws(SettingsError)

    /// Checks rules that involve more than one setting of the topic.
    ///
    /// - Throws: The ``SettingsError`` of the first rule that is violated.
    func check() throws(SettingsError)

    /// Sentences to log at start about settings that are valid but unsafe or without effect.
    var warnings: [String] { get }
}

extension SettingsTopic {
    func check() throws(SettingsError) {}
    var warnings: [String] { [] }
}

/// Visits the settings of all topics: reads each from the sources, or only lists them.
struct SettingsReader {
    private let sources: SettingsSources?
    /// The settings visited so far.
    private(set) var descriptors: [SettingDescriptor] = []

    /// - Parameter sources: Where values come from; `nil` only lists the settings.
    init(sources: SettingsSources?) { self.sources = sources }

    /// Visits one setting.
    ///
    /// - Throws: The ``SettingsError`` of a value that is not allowed.
    mutating func read<Value>(_ setting: inout Setting<Value>) throws(SettingsError) {
        descriptors.append(setting.descriptor)
        if let sources { try setting.read(from: sources) }
    }
}
