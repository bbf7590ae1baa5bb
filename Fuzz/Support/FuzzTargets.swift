/// Every fuzz target by its name.
package enum FuzzTargets {
    /// Makes a target.
    package static let all: [String: @Sendable () -> any FuzzTarget] = [
        "decoder": { DecoderTarget() },
        "actions": { ActionTarget() },
        "inflater": { InflaterTarget() },
        "websocket": { WebSocketTarget() },
        "http": { HTTPTarget() },
        "tls": { TLSTarget() },
        "settings": { SettingsTarget() },
    ]
}

/// The input that is fed to a target, for the message when a promise is broken. libFuzzer keeps the input itself.
package enum FuzzInput {
    /// The name of the input in the current task.
    @TaskLocal package static var name: String?
}
