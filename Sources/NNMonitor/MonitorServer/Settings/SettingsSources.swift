import Configuration
import Foundations
import SystemPackage

/// The three places that settings come from, as one reader: options before environment before `.env`.
struct SettingsSources: Sendable {
    private let reader: ConfigReader
    private let trace: LookupTrace
    private let filePath: String

    /// `NN_MONITOR_*` names that were found and are no setting, with where they were found, sorted by name.
    let unknownNames: [(name: String, source: SettingSource)]

    /// One sentence for what was found and is ignored.
    let ignored: [String]

    /// - Parameters:
    ///   - options: Values given on the command line, by setting.
    ///   - environment: The process's environment.
    ///   - file: Path of the `.env` file; it need not exist.
    /// - Throws: ``SettingsError/unreadableFile(path:reason:)`` when the file is there and can't be read.
    init(options: [SettingFacts: String], environment: [String: String], file: String) async throws(SettingsError) {
        try Self.checkText(of: file)
        let (environment, ignored) = ForeignNames.removed(from: environment)
        self.ignored = ignored
        let known = Set(SettingsTable.all.map(\.environmentName))
        let secret = Set(SettingsTable.all.filter(\.isSecret).map(\.environmentName))

        // The provider doesn't list the names it found, but it asks of each whether its value is a secret.
        let fileNames = NamesSeen()
        let fileProvider: EnvironmentVariablesProvider
        do {
            fileProvider = try await EnvironmentVariablesProvider(
                environmentFilePath: FilePath(file), allowMissing: true,
                secretsSpecifier: .dynamic { name, _ in
                    fileNames.insert(name)
                    return secret.contains(name)
                })
        } catch {
            throw .unreadableFile(path: file, reason: "can't be read: \(error)")
        }

        let optionValues = options.map { facts, text in
            (AbsoluteConfigKey([facts.environmentName]), ConfigValue(.string(text), isSecret: facts.isSecret))
        }
        trace = LookupTrace()
        filePath = file
        reader = ConfigReader(
            providers: [
                InMemoryProvider(name: "options", values: Dictionary(uniqueKeysWithValues: optionValues)),
                EnvironmentVariablesProvider(environmentVariables: environment, secretsSpecifier: .specific(secret)),
                fileProvider,
            ], accessReporter: trace)

        let found =
            environment.keys.map { ($0, SettingSource.environment) }
            + fileNames.all.map { ($0, SettingSource.file(file)) }
        unknownNames =
            found
            .filter { name, _ in name.uppercased().contains(SettingFacts.prefix) && !known.contains(name) }
            .filter { name, _ in !ForeignNames.contains(name) }
            .map { (name: $0.0, source: $0.1) }
            .sorted { $0.name < $1.name }
    }

    /// The value of a setting, or its default.
    ///
    /// - Throws: ``SettingsError/notAllowed(_:value:source:)`` when the text that counts is not allowed.
    func value<Value>(of setting: Setting<Value>) throws(SettingsError) -> Value {
        let (text, source) = given(setting.facts) ?? (setting.facts.defaultText ?? "", .builtIn)
        guard let value = setting.parse(text) else {
            throw .notAllowed(setting.facts, value: text, source: source)
        }
        return value
    }

    /// The text of a setting and where it was found; nil when nobody gave it.
    func given(_ facts: SettingFacts) -> (text: String, source: SettingSource)? {
        let name = facts.environmentName
        guard let text = reader.string(forKey: ConfigKey([name]), isSecret: facts.isSecret) else { return nil }
        // Providers are asked in order until one answers, so the number of answers tells which one it was.
        let source: SettingSource =
            switch trace.answers(for: name) {
            case 1: .option(facts.optionName)
            case 2: .environment
            default: .file(filePath)
            }
        return (text, source)
    }

    /// The names of the settings that were asked for so far.
    var namesRead: Set<String> { trace.names }

    /// Refuses a file whose lines the provider would silently take for one: it ends lines at LF only.
    private static func checkText(of file: String) throws(SettingsError) {
        let bytes: [UInt8]
        do {
            bytes = try TextFile.bytes(of: file)
        } catch {
            // The file need not exist; who reads it next reports other errors.
            guard error == .notRegular else { return }
            throw .unreadableFile(
                path: file, reason: "can't be read: it is not a regular file; remove it, or put a file in its place")
        }
        if bytes.contains(UInt8(ascii: "\r")) {
            throw .unreadableFile(path: file, reason: "has Windows line ends (CR LF): save it with LF alone")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw .unreadableFile(path: file, reason: "begins with a byte order mark: save it as UTF-8 without one")
        }
    }
}

/// Notes, for each setting that is read, how many providers were asked.
private final class LookupTrace: AccessReporter {
    private let counts = Guarded<[String: Int]>([:])

    func report(_ event: AccessEvent) {
        counts.withLock { $0[event.metadata.key.description] = event.providerResults.count }
    }

    func answers(for name: String) -> Int { counts.withLock { $0[name] ?? 0 } }

    var names: Set<String> { counts.withLock { Set($0.keys) } }
}

/// The names of the lines of a file.
private final class NamesSeen: Sendable {
    private let names = Guarded<Set<String>>([])

    func insert(_ name: String) {
        names.withLock { _ = $0.insert(name) }
    }

    var all: Set<String> { names.withLock { $0 } }
}
