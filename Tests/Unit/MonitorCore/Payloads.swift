@testable import MonitorCore

/// Payloads for tests, assembled from parts that a test can replace.
enum Payloads {
    static let metadata = #""metadata":{"run_id":"r","timestamp":1.5,"global_step":7,"batch_size":32}"#
    static let cross = #""cross_layer_analysis":{"feature_std_gradient":-0.25,"gradient_norm_ratio":{"a.b":1.5}}"#

    static func layer(id: String = "conv.1", depth: String = "0", features: String? = nil, bias: String? = nil)
        -> String
    {
        let features = features ?? #""activation_std":0.5,"activation_mean":-0.125,"activation_shape":[32,64]"#
        return
            #"{"layer_id":"\#(id)","layer_type":"Conv2d","depth_index":\#(depth),"intermediate_features":{\#(features)},"#
            + #""gradient_flow":{"gradient_l2_norm":1,"gradient_std":2,"gradient_max_abs":3},"#
            + #""parameter_statistics":{"weight":{"std":4,"mean":-5,"spectral_norm":6,"frobenius_norm":7}"#
            + (bias.map { #","bias":\#($0)"# } ?? "") + "}}"
    }

    static func payload(metadata: String = metadata, layers: [String] = [layer()], cross: String = cross) -> String {
        "{\(metadata),\"layer_statistics\":[\(layers.joined(separator: ","))],\(cross)}"
    }

    static func step(_ number: Int, run: String = "r", layers: [String] = [layer()]) -> DecodedStep {
        let metadata = #""metadata":{"run_id":"\#(run)","timestamp":1,"global_step":\#(number),"batch_size":1}"#
        switch StepDecoder.decode(Array(payload(metadata: metadata, layers: layers).utf8)) {
        case .success(let step): return step
        case .failure(let rejection): preconditionFailure("the test's own payload is wrong: \(rejection)")
        }
    }

    /// The type and path of each error: `greater_than metadata/timestamp`.
    static func issues(_ payload: String) -> [String] {
        issues(Array(payload.utf8))
    }

    static func issues(_ payload: [UInt8]) -> [String] {
        guard case .failure(let rejection) = StepDecoder.decode(payload) else { return [] }
        return rejection.issues.map { issue in
            let path = issue.location.map { location in
                switch location {
                case .key(let key): key
                case .index(let index): String(index)
                }
            }
            return "\(issue.kind.type) \(path.joined(separator: "/"))"
        }
    }
}
