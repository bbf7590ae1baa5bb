import ArgumentParser

/// Why the server cannot start, or cannot take a changed file, in one line that names what is wrong.
struct StartError: Error, CustomStringConvertible {
    /// What went wrong.
    let description: String
    /// 64 when a setting is to blame, otherwise 1.
    let exitCode: ExitCode

    init(_ description: String) {
        self.description = description
        exitCode = .failure
    }

    /// A setting names something that can't be used.
    ///
    /// - Parameters:
    ///   - setting: which one.
    ///   - value: what it names.
    ///   - reason: what is wrong with that.
    init(_ setting: SettingFacts, value: String, reason: String) {
        let line = "\(setting.environmentName): '\(value)' is not allowed: \(reason)"
        description = String(line.map { $0.isNewline ? " " : $0 })
        exitCode = .validationFailure
    }
}
