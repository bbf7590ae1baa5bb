import ArgumentParser

/// Where the server listens, and how it stops.
struct ListeningSettings: SettingsTopic {
    @Option(
        setting: "HOST", .host, default: "127.0.0.1", "Address to listen on; 0.0.0.0 or :: means every interface.")
    var host: Setting<String>

    @Option(
        setting: "PORT", .count(0...65_535, note: "0 picks a free port"), default: 8000, "Port to listen on.")
    var port: Setting<Int>

    @Option(
        setting: "PUBLIC_URL", .publicURL, default: nil,
        "Address by which browsers reach the dashboard: links in alerts begin with it.")
    var publicURL: Setting<String?>

    @Option(
        setting: "THREADS", .count(0...1024, note: "0 means one per core"), default: 0,
        "Event loop threads, which handle all network input and output.")
    var threads: Setting<Int>

    @Option(
        setting: "STATIC_DIR", .path("a folder"), default: nil,
        "Folder with the dashboard's files; by default the folder 'static' in the working directory or near the executable."
    )
    var staticDir: Setting<String?>

    @Option(
        setting: "SHUTDOWN_GRACE", .seconds, default: .seconds(10),
        "Time that open requests and connections have to finish after SIGTERM or SIGINT.")
    var shutdownGrace: Setting<Duration>

    @Option(
        setting: "FILE_TIMEOUT", .wholeSeconds(1...3600), default: .seconds(5),
        "Time for reading the files that settings name, at start and on SIGHUP.")
    var fileTimeout: Setting<Duration>

    mutating func read(with reader: inout SettingsReader) throws(SettingsError) {
        try reader.read(&host)
        try reader.read(&port)
        try reader.read(&publicURL)
        try reader.read(&threads)
        try reader.read(&staticDir)
        try reader.read(&shutdownGrace)
        try reader.read(&fileTimeout)
    }
}
