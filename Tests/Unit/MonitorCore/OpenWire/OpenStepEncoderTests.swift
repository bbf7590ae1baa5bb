import Foundations
import Testing

@testable import MonitorCore

@Suite struct OpenStepEncoderTests {
    /// Two layers, of which the second has no attributes; one metric of v1 and one other; scalars, of which one is a
    /// ratio; two vectors.
    private static let step = {
        var step = StepContents()
        step.step = 7
        step.timestamp = 1.5
        step.layout.text = Array("a/bTg\"c".utf8)
        step.layout.nameBounds = [0, 3, 3, 4, 6, 7, -1, -1]
        step.layout.depths = [2, -1]
        step.layout.parameterCounts = [5, -1]
        step.layout.trainable = [.no, .absent]
        step.layout.groupBounds = [4, 6, -1, -1]
        step.shapes.dimensions = [3, 4]
        step.shapes.ends = [2, ~2]
        step.columns.text = Array("weight_stdminekeylossv".utf8)
        step.columns.metricBounds = [0, 10, 10, 14]
        step.columns.scalarBounds = [14, 17, 17, 21]
        step.columns.ratioCount = 1
        step.columns.text += Array("a/bc".utf8)
        step.columns.vectorBounds = [21, 22, 22, 25, 2, 21, 22, 25, 26, 1]
        step.numbers = [1, MissingValue.number, .nan, -.infinity, 0.5, .infinity, 8, 9, .nan]
        return DecodedStep(step)
    }()

    private func text(_ form: OpenStepForm = .all, _ step: DecodedStep = step) -> String {
        var encoder = OpenStepEncoder(form: form)
        var writer = JSONWriter()
        encoder.append(StepRecord(step, seq: 3), to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static let head = #"{"step":7,"time":1.5,"seq":3"#
    private static let scalars = #","scalars":{"gradient_norm_ratio/key":0.5,"loss":"Infinity"}"#
    private static let layers =
        #","layers":[{"id":"a/b","type":"T","depth":2,"shape":[3,4],"parameters":5,"trainable":false,"group":"g\""},"#
        + #"{"id":"c"}]"#

    @Test func `a step comes back as it was posted`() {
        #expect(
            text() == Self.head + Self.scalars + Self.layers
                + #","metrics":{"weight_std":[1.0,null],"mine":["NaN","-Infinity"]}"#
                + #","vectors":{"v":{"a/b":[8.0,9.0],"c":["NaN"]}}}"#)
    }

    @Test func `metrics select metrics and vectors but no scalars`() {
        #expect(
            text(OpenStepForm(metrics: ["mine", "loss", "unknown"]))
                == Self.head + Self.scalars + Self.layers + #","metrics":{"mine":["NaN","-Infinity"]}}"#)
        #expect(
            text(OpenStepForm(metrics: ["v"]))
                == Self.head + Self.scalars + Self.layers + #","vectors":{"v":{"a/b":[8.0,9.0],"c":["NaN"]}}}"#)
        #expect(text(OpenStepForm(metrics: [])) == Self.head + Self.scalars + Self.layers + "}")
    }

    @Test func `layers select columns and vectors too`() {
        let form = OpenStepForm(layers: [IDPattern(parts: [Array("c".utf8)])])
        #expect(
            text(form) == Self.head + Self.scalars + #","layers":[{"id":"c"}]"#
                + #","metrics":{"weight_std":[null],"mine":["-Infinity"]},"vectors":{"v":{"c":["NaN"]}}}"#)
    }

    @Test func `the identifier of the structure replaces the layers`() {
        let record = StepRecord(Self.step, seq: 3)
        var encoder = OpenStepEncoder(form: OpenStepForm(metrics: [], isStructureShared: true))
        var writer = JSONWriter()
        encoder.append(record, to: &writer)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == Self.head + Self.scalars + #","structure":"\#(record.structure.text)"}"#)
    }

    @Test func `a step without layers has neither layers nor metrics`() {
        var step = StepContents()
        step.step = 7
        step.timestamp = 1.5
        step.batchSize = 4
        #expect(text(.all, DecodedStep(step)) == Self.head + #","batch_size":4}"#)
    }

    @Test func `in v1's form a block of which nothing was posted is null`() {
        var writer = JSONWriter()
        StepEncoder.append(StepRecord(Self.step), to: &writer)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"step":7,"timestamp":1.5,"batch_size":null,"layers":[{"layer_id":"a/b","layer_type":"T","#
                + #""depth_index":2,"intermediate_features":{"activation_std":null,"activation_mean":null,"#
                + #""activation_shape":[3,4],"cross_layer_std_ratio":null},"gradient_flow":null,"#
                + #""parameter_statistics":{"weight":{"std":1.0,"mean":null,"spectral_norm":null,"#
                + #""frobenius_norm":null},"bias":null},"metrics":{"mine":"NaN"}},"#
                + #"{"layer_id":"c","layer_type":"","depth_index":1,"intermediate_features":null,"#
                + #""gradient_flow":null,"parameter_statistics":null,"metrics":{"mine":"-Infinity"}}],"#
                + #""cross_layer":{"feature_std_gradient":null,"gradient_norm_ratio":{"key":0.5}},"#
                + #""layer_groups":{"g\"":["a/b"]},"scalars":{"loss":"Infinity"}}"#)
    }

    @Test func `the lite form has scalars but no other metrics`() {
        var writer = JSONWriter()
        StepEncoder.append(StepRecord(Self.step), form: .lite, to: &writer)
        let text = String(decoding: writer.bytes, as: UTF8.self)
        #expect(
            text.contains(
                #""intermediate_features":{"activation_std":null,"cross_layer_std_ratio":null},"gradient_flow":null}"#))
        #expect(text.hasSuffix(#","scalars":{"loss":"Infinity"}}"#))
        #expect(!text.contains("metrics") && !text.contains("parameter_statistics"))
    }

    @Test func `a v1 step comes back without the columns that it lacks`() {
        let layers = [Payloads.layer(), Payloads.layer(id: "b", depth: "1", bias: #"{"std":8,"mean_abs":9}"#)]
        let text = text(.all, Payloads.step(7, layers: layers))
        #expect(text.contains(#""layers":[{"id":"conv/1","type":"Conv2d","depth":0,"shape":[32,64]},"#))
        #expect(text.contains(#""bias_std":[null,8.0],"bias_mean_abs":[null,9.0]"#))
        #expect(!text.contains("cross_layer_std_ratio"))
        #expect(text.contains(#""scalars":{"gradient_norm_ratio/a.b":1.5,"feature_std_gradient":-0.25}"#))
    }

    @Test func `the long form has a line for each posted number`() {
        var writer = JSONWriter()
        CSVEncoder.append(StepRecord(Self.step), to: &writer)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self).split(separator: "\r\n").map(String.init) == [
                "7,1.5,,gradient_norm_ratio/key,0.5", "7,1.5,,loss,Infinity", "7,1.5,a/b,weight_std,1",
                "7,1.5,a/b,mine,NaN", "7,1.5,c,mine,-Infinity",
            ])
        var quoted = Self.step.contents
        quoted.layout.text[1] = UInt8(ascii: ",")
        quoted.layout.text[6] = UInt8(ascii: "\"")
        writer.removeAll()
        CSVEncoder.append(StepRecord(DecodedStep(quoted)), to: &writer)
        let text = String(decoding: writer.bytes, as: UTF8.self)
        #expect(text.contains("7,1.5,\"a,b\",mine,NaN\r\n") && text.contains("7,1.5,\"\"\"\",mine,-Infinity\r\n"))
    }
}
