import HTTPService

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The folder with the dashboard's files.
enum StaticFolder {
    /// Reads the files.
    ///
    /// - Parameter setting: STATIC_DIR.
    /// - Returns: The files' contents.
    /// - Throws: `StartError` that names the setting.
    static func load(_ setting: Setting<String?>) throws -> StaticAssets.Contents {
        let folder = try setting.value ?? find()
        do {
            return try StaticAssets.contents(of: folder)
        } catch {
            throw StartError(setting.descriptor, value: folder, reason: "\(error)")
        }
    }

    /// The folder `static` in the working directory, beside the executable, or in one of the folders above it, where it
    /// is when the executable runs from `.build`.
    private static func find() throws -> String {
        var candidates = ["static"]
        var folder = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
        if let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            folder = URL(fileURLWithPath: executable)
        }
        for _ in 0..<5 {
            folder.deleteLastPathComponent()
            candidates.append(folder.appendingPathComponent("static").path)
        }
        let found = candidates.first { FileManager.default.fileExists(atPath: $0 + "/index.html") }
        guard let found else {
            throw StartError(
                "the folder 'static' with the dashboard's files is neither in the working directory nor near the "
                    + "executable: set NN_MONITOR_STATIC_DIR to it")
        }
        return found
    }
}
