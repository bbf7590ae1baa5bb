import ArgumentParser
import Health
import MonitorCore

/// How layers are judged.
struct HealthSettings: SettingsTopic {
    @Option(
        setting: "HEALTH_RULES", .path("a JSON file"), default: nil,
        "Thresholds of the rules of layer health, for all runs, layers and projects. SIGHUP reads it again.")
    var rules: Setting<String?>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&rules)
    }

    /// Reads the file.
    ///
    /// - Returns: its rules; the defaults if there is no file.
    /// - Throws: `StartError` that names the setting and the line.
    func load() throws -> HealthRules {
        guard let path = rules.value else { return HealthRules() }
        let text: [UInt8]
        do {
            text = try TextFile.bytes(of: path)
        } catch {
            throw StartError(rules.descriptor, value: path, reason: "\(error)")
        }
        do {
            return try HealthRules(reading: text)
        } catch {
            throw StartError(rules.descriptor, value: path, reason: "\(error)")
        }
    }
}
