/// Warnings to log at start.
enum SettingsWarnings {
    /// One sentence for each ignored value, for each unknown `NN_MONITOR_*` name, and for each setting that is unsafe
    /// or has no effect.
    static func all(for settings: Settings, from sources: SettingsSources) -> [String] {
        sources.ignoredValues + unknownNames(in: sources, settings: settings.descriptors) + settings.warnings
    }

    /// One sentence for each unknown `NN_MONITOR_*` name, with the nearest known one.
    static func unknownNames(in sources: SettingsSources, settings: [SettingDescriptor]) -> [String] {
        sources.unknownNames.map { name, source in
            // Compares the part after the prefix, so that "export NN_MONITOR_PORT" finds its setting too.
            let upper = name.uppercased()
            let end = upper.ranges(of: SettingDescriptor.prefix).last?.upperBound ?? upper.startIndex
            let nearest = NearestName.nearest(to: String(upper[end...]), among: settings.map(\.name))
            let hint = nearest.map { "; the nearest is \(SettingDescriptor.prefix)\($0)" } ?? ""
            return "\(name.oneLine) (\(source)) is not a setting\(hint)"
        }
    }
}
