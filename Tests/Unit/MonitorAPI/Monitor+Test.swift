import MonitorAPI

extension Monitor {
    /// A monitor for tests without an opening handshake, which alone needs SHA-1.
    convenience init(configuration: MonitorConfiguration) {
        self.init(configuration: configuration, sha1Base64: { _ in "" })
    }
}
