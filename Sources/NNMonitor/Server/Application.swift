/// The server as a whole.
enum Application {
    /// Runs the server until it is told to stop.
    static func run(settings: Settings) async throws {
        print("\(settings.host):\(settings.port)")
    }
}
