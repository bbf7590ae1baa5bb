import ArgumentParser

/// An option whose names, default and help come from the settings table.
extension Option where Value == String? {
    /// Declares the option of a setting. Its text is checked together with those of the environment and `.env`,
    /// so any text is taken here, even one that begins with a dash.
    init(_ facts: SettingFacts) {
        self.init(
            name: .customLong(facts.optionName), parsing: .unconditional, help: facts.argumentHelp)
    }
}

extension SettingFacts {
    /// The purpose, what is allowed, the default and the name in the environment, in this order.
    var argumentHelp: ArgumentHelp {
        ArgumentHelp(
            "\(purpose) Allowed: \(allowed). (default: \(defaultText ?? "none"); \(environmentName))",
            valueName: placeholder)
    }
}
