import Configuration
import Foundations
import SystemPackage

/// The process's environment and the `.env` file. The environment takes precedence.
///
/// Both are held by providers of swift-configuration, which parse the file and redact secrets when printed.
struct SettingsSources: Sendable {
    private let environment: EnvironmentVariablesProvider
    private let file: EnvironmentVariablesProvider
    private let filePath: String

    /// The `NN_MONITOR_*` names in either source that are not a setting, with their source, sorted by name.
    let unknownNames: [(name: String, source: SettingSource)]

    /// Sentences to log at start about values that are ignored.
    let ignoredValues: [String]

    /// - Parameters:
    ///   - settings: The settings that exist.
    ///   - environment: The process's environment.
    ///   - path: Path of the `.env` file, which need not exist.
    /// - Throws: ``SettingsError/unreadableFile(path:reason:)`` when the file exists but cannot be used.
    init(
        for settings: [SettingDescriptor], environment: [String: String], file path: String
    ) async throws(SettingsError) {
        try Self.checkText(of: path)
        let (environment, ignoredValues) = ForeignNames.removed(from: environment)
        self.ignoredValues = ignoredValues
        let secrets = Set(settings.filter(\.isSecret).map(\.environmentName))

        // The provider does not list the names in the file, but it calls the specifier with each of them.
        let fileNames = NameCollector()
        do {
            file = try await EnvironmentVariablesProvider(
                environmentFilePath: FilePath(path), allowMissing: true,
                secretsSpecifier: .dynamic { name, _ in
                    fileNames.insert(name)
                    return secrets.contains(name)
                })
        } catch {
            throw .unreadableFile(path: path, reason: "cannot be read: \(error)")
        }
        self.environment = EnvironmentVariablesProvider(
            environmentVariables: environment, secretsSpecifier: .specific(secrets))
        filePath = path

        let known = Set(settings.map(\.environmentName))
        let found =
            environment.keys.map { (name: $0, source: SettingSource.environment) }
            + fileNames.all.map { (name: $0, source: SettingSource.file(path)) }
        unknownNames =
            found
            .filter { $0.name.uppercased().contains(SettingDescriptor.prefix) && !known.contains($0.name) }
            .filter { !ForeignNames.contains($0.name) }
            .sorted { $0.name < $1.name }
    }

    /// The text of a setting and its source; `nil` when neither source has the setting.
    func given(_ setting: SettingDescriptor) -> (text: String, source: SettingSource)? {
        if let text = Self.text(of: setting, in: environment) { return (text, .environment) }
        return Self.text(of: setting, in: file).map { ($0, .file(filePath)) }
    }

    private static func text(of setting: SettingDescriptor, in provider: EnvironmentVariablesProvider) -> String? {
        // The method is declared to throw, but a lookup in a dictionary cannot fail.
        (try? provider.environmentValue(forName: setting.environmentName)) ?? nil
    }

    /// Refuses a file that cannot be read safely, or that the provider, which ends lines at LF only, would misread.
    private static func checkText(of file: String) throws(SettingsError) {
        let bytes: [UInt8]
        do {
            bytes = try TextFile.bytes(of: file)
        } catch {
            // The file need not exist. The provider, which reads it next, reports other errors.
            guard error == .notRegular else { return }
            throw .unreadableFile(
                path: file, reason: "cannot be read: it is not a regular file; remove it, or put a file in its place")
        }
        if bytes.contains(UInt8(ascii: "\r")) {
            throw .unreadableFile(path: file, reason: "has Windows line ends (CR LF): save it with LF alone")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw .unreadableFile(path: file, reason: "begins with a byte order mark: save it as UTF-8 without one")
        }
    }
}

/// A set of names that concurrent code may add to.
private final class NameCollector: Sendable {
    private let names = Locked<Set<String>>([])

    func insert(_ name: String) { names.withLock { _ = $0.insert(name) } }

    var all: Set<String> { names.withLock { $0 } }
}
