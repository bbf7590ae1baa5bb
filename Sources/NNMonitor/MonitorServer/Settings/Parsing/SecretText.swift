/// Text that must not be shown: printing, interpolating or dumping it, or what holds it, gives a placeholder.
struct SecretText: Sendable, Equatable {
    /// The text itself, for whoever compares or digests it.
    let revealed: String
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "<secret>" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
