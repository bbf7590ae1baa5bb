/// Text that must not be printed. Printing, interpolating or dumping it, or a value that contains it, shows a
/// placeholder.
struct SecretText: Sendable, Equatable {
    /// The text itself.
    let revealed: String
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "<secret>" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
