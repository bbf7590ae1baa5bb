import ArgumentParser

/// Why the server cannot start, or cannot load a changed file, in one line.
struct StartError: Error, CustomStringConvertible {
    let description: String
    /// 64 if a setting must be changed, 1 otherwise.
    let exitCode: ExitCode

    init(_ description: String) {
        self.description = description
        exitCode = .failure
    }

    /// A setting names a file or folder that cannot be used.
    ///
    /// - Parameters:
    ///   - setting: The setting.
    ///   - value: The file or folder.
    ///   - reason: What is wrong with it.
    init(_ setting: SettingDescriptor, value: String, reason: String) {
        let line = "\(setting.environmentName): '\(value)' cannot be used: \(reason)"
        description = String(line.map { $0.isNewline ? " " : $0 })
        exitCode = .validationFailure
    }
}
