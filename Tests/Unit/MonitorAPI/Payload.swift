import MonitorCore

/// Payloads as a trainer posts them.
enum Payload {
    private static let layer =
        #"{"layer_id":"a","layer_type":"t","depth_index":0,"intermediate_features":{"activation_std":1,"#
        + #""activation_mean":0,"activation_shape":[1,2]},"gradient_flow":{"gradient_l2_norm":1,"gradient_std":1,"#
        + #""gradient_max_abs":1},"parameter_statistics":{"weight":{"std":1,"mean":0,"spectral_norm":1,"#
        + #""frobenius_norm":1}}}"#

    /// A payload as JSON.
    static func text(_ number: Int, layers: Int = 1, run: String = "r") -> String {
        #"{"metadata":{"run_id":"\#(run)","timestamp":1,"global_step":\#(number),"batch_size":1},"#
            + #""layer_statistics":["# + Array(repeating: layer, count: layers).joined(separator: ",")
            + #"],"cross_layer_analysis":{"feature_std_gradient":0}}"#
    }

    /// A decoded payload.
    static func step(_ number: Int, layers: Int = 1, run: String = "r") throws -> DecodedStep {
        try StepDecoder.decode(Array(text(number, layers: layers, run: run).utf8)).get()
    }
}
