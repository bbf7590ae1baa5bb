/// All fuzz targets by name.
package enum FuzzTargets {
    /// A factory per target.
    package static let all: [String: @Sendable () -> any FuzzTarget] = [
        "decoder": { DecoderTarget() },
        "open_decoder": { OpenDecoderTarget() },
        "actions": { ActionTarget() },
        "updates": { RunUpdateTarget() },
        "inflater": { InflaterTarget() },
        "websocket": { WebSocketTarget() },
        "http": { HTTPTarget() },
        "tls": { TLSTarget() },
        "settings": { SettingsTarget() },
    ]
}

/// The current input, for the message about a violated property. libFuzzer saves the input itself.
package enum FuzzInput {
    /// The name of the input in the current task.
    @TaskLocal package static var name: String?
}
