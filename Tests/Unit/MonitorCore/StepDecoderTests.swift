import Testing
import Foundations

@testable import MonitorCore

@Suite struct StepDecoderTests {
    private func number(_ name: String, ofLayer layer: Int, in step: DecodedStep) throws -> Double {
        let metric = try #require(LayerMetric.all.first { "\($0.name)" == name })
        return StepRecord(step).value(metric, layer: layer)
    }

    @Test func `every field lands in its column`() throws {
        let layers = [
            Payloads.layer(id: "a.b", bias: #"{"std":8,"mean_abs":9}"#),
            Payloads.layer(
                id: "c", depth: "2e0",
                features:
                    #""cross_layer_std_ratio":2.5,"activation_shape":[1,2,3],"activation_mean":0,"activation_std":1"#),
        ]
        let step = try StepDecoder.decode(Array(Payloads.payload(layers: layers).utf8)).get()
        #expect(step.runID == "r")
        #expect(step.timestamp == 1.5)
        #expect(step.step == 7)
        #expect(step.batchSize == 32)
        #expect(Array(step.layout.idBytes(0)) == Array("a/b".utf8))
        #expect(step.layout.typeBytes(1).map(Array.init) == Array("Conv2d".utf8))
        #expect(step.layout.depths == [0, 2])
        #expect(step.shapes[0].map(Array.init) == [32, 64])
        #expect(step.shapes[1].map(Array.init) == [1, 2, 3])
        #expect(Array(step.columns.scalarName(0)) == Array("gradient_norm_ratio/a.b".utf8))
        #expect(step.numbers.count == 2 * LayerMetric.count + 2)
        let posted: [(String, Double)] = [
            ("activation_std", 0.5), ("activation_mean", -0.125), ("gradient_l2_norm", 1), ("gradient_std", 2),
            ("gradient_max_abs", 3), ("weight_std", 4), ("weight_mean", -5), ("weight_spectral_norm", 6),
            ("weight_frobenius_norm", 7), ("bias_std", 8), ("bias_mean_abs", 9),
        ]
        for (name, value) in posted { #expect(try number(name, ofLayer: 0, in: step) == value) }
        #expect(MissingValue.isMissing(try number("cross_layer_std_ratio", ofLayer: 0, in: step)))
        #expect(try number("cross_layer_std_ratio", ofLayer: 1, in: step) == 2.5)
        #expect(MissingValue.isMissing(try number("bias_std", ofLayer: 1, in: step)))
        #expect(Array(step.numbers.suffix(2)) == [1.5, -0.25])
    }

    @Test func `issues are in schema order, independent of the order of the text`() {
        let payload =
            #"{"cross_layer_analysis":{"feature_std_gradient":"x"},"layer_statistics":["#
            + #"{"parameter_statistics":{"weight":{"std":-1,"mean":0,"spectral_norm":0,"frobenius_norm":0}},"#
            + #""layer_id":"","layer_type":"t","depth_index":0,"intermediate_features":null,"#
            + #""gradient_flow":{"gradient_l2_norm":NaN,"gradient_std":1e999,"gradient_max_abs":-Infinity}}],"#
            + #""metadata":{"batch_size":0,"global_step":1.5,"run_id":"a\u0000"}}"#
        #expect(
            Payloads.issues(payload) == [
                "string_pattern_mismatch metadata/run_id",
                "missing metadata/timestamp",
                "int_from_float metadata/global_step",
                "greater_than metadata/batch_size",
                "string_too_short layer_statistics/0/layer_id",
                "model_attributes_type layer_statistics/0/intermediate_features",
                "finite_number layer_statistics/0/gradient_flow/gradient_l2_norm",
                "finite_number layer_statistics/0/gradient_flow/gradient_std",
                "finite_number layer_statistics/0/gradient_flow/gradient_max_abs",
                "greater_than_equal layer_statistics/0/parameter_statistics/weight/std",
                "float_type cross_layer_analysis/feature_std_gradient",
            ])
    }

    @Test(arguments: [
        ("", "missing "),
        (" \n\t", "json_invalid 3"),
        ("[]", "model_attributes_type "),
        ("null", "model_attributes_type "),
        ("{", "json_invalid 1"),
        ("{}x", "json_invalid 2"),
        (#"{"a":01}"#, "json_invalid 6"),
        (#"{"a":1.}"#, "json_invalid 7"),
        (#"{"a":"\x"}"#, "json_invalid 7"),
        ("{\"a\":\"\n\"}", "json_invalid 6"),
        (#"{"a":[1,]}"#, "json_invalid 8"),
        (#"{"a":tru}"#, "json_invalid 8"),
        ("\u{FEFF}[]", "model_attributes_type "),
    ])
    func `broken text is one issue with its offset`(payload: String, issue: String) {
        #expect(Payloads.issues(payload) == [issue])
    }

    @Test func `invalid UTF-8 is found in values that are ignored`() {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82]] {
            let payload = Array(#"{"ignored":""#.utf8) + bytes + Array(#""}"#.utf8)
            #expect(Payloads.issues(payload) == ["json_invalid 12"])
        }
    }

    @Test func `nesting may be 64 levels deep`() {
        func nested(_ levels: Int) -> String {
            let inner = String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1)
            return "{\"x\":\(inner),\(Payloads.payload().dropFirst())"
        }
        #expect(Payloads.issues(nested(64)).isEmpty)
        #expect(Payloads.issues(nested(65)) == ["json_invalid 68"])
    }

    @Test func `the last of duplicate keys wins and takes the issues of the first away`() throws {
        let metadata =
            #""metadata":[],"metadata":{"run_id":1,"run_id":"b","timestamp":0,"timestamp":2,"#
            + #""global_step":1,"batch_size":1,"layer_groups":{"g":[1],"h":["x.y"],"g":["z"]}}"#
        let cross = #""cross_layer_analysis":{"feature_std_gradient":0,"gradient_norm_ratio":{"a":"x","b":1,"a":2}}"#
        let layers = "\"layer_statistics\":5"
        let payload = "{\(cross),\(layers),\(Payloads.payload(metadata: metadata, cross: cross).dropFirst())"
        let step = try StepDecoder.decode(Array(payload.utf8)).get()
        #expect(step.runID == "b")
        #expect(step.layout.groupsJSON == Array(#"{"g":["z"],"h":["x/y"]}"#.utf8))
        #expect(Array(step.columns.scalarName(0)) == Array("gradient_norm_ratio/a".utf8))
        #expect(Array(step.numbers.suffix(3)) == [2, 1, 0])
    }

    @Test func `many duplicates in a dictionary are found too`() throws {
        let pairs = (0..<1000).map { "\"k\($0 % 50)\":\($0)" }.joined(separator: ",")
        let cross = #""cross_layer_analysis":{"feature_std_gradient":0,"gradient_norm_ratio":{\#(pairs)}}"#
        let step = try StepDecoder.decode(Array(Payloads.payload(cross: cross).utf8)).get()
        #expect(step.columns.scalarCount == 51)
        #expect(step.numbers[12] == 950)
    }

    @Test func `issues beyond the size of the list are not forgotten with its entries`() {
        // Ten thousand invalid members fill the list, the next error is only counted, then the repeated key empties the
        // list.
        let bad = Array(repeating: "1", count: 100).joined(separator: ",")
        let groups = (0..<100).map { "\"g\($0)\":[\(bad)]" }.joined(separator: ",")
        let metadata =
            #""metadata":{"layer_groups":{\#(groups)},"run_id":"r","timestamp":-1,"global_step":1,"batch_size":1,"#
            + #""layer_groups":null}"#
        #expect(Payloads.issues(Payloads.payload(metadata: metadata)) == ["too_many_errors "])
        let repaired = metadata.dropLast() + #","timestamp":1}"#
        #expect(Payloads.issues(Payloads.payload(metadata: String(repaired))).isEmpty)
    }

    @Test func `a bad key among thousands of repeated ones is found`() {
        let repeated = Array(repeating: #""a":"x""#, count: 20_000).joined(separator: ",")
        let cross =
            #""cross_layer_analysis":{"feature_std_gradient":0,"gradient_norm_ratio":{\#(repeated),"b":"y","a":1}}"#
        #expect(
            Payloads.issues(Payloads.payload(cross: cross)) == ["float_type cross_layer_analysis/gradient_norm_ratio/b"]
        )
    }

    @Test func `fields that come again by turns leave only their last issues`() {
        let turns = Array(repeating: #""timestamp":-1,"batch_size":0,"run_id":"""#, count: 500).joined(separator: ",")
        let metadata = #""metadata":{\#(turns),"global_step":1,"batch_size":2}"#
        #expect(
            Payloads.issues(Payloads.payload(metadata: metadata)) == [
                "string_too_short metadata/run_id", "greater_than metadata/timestamp",
            ])
    }

    @Test func `layers out of order name the first pair as posted`() throws {
        let payload = Payloads.payload(layers: [
            Payloads.layer(id: "x.1", depth: "3"), Payloads.layer(id: "y.2", depth: "1"),
        ])
        guard case .failure(let rejection) = StepDecoder.decode(Array(payload.utf8)) else {
            Issue.record("accepted")
            return
        }
        #expect(
            rejection.issues == [
                PayloadIssue(
                    .layersOutOfOrder(id: "y.2", depth: 1, previousID: "x.1", previousDepth: 3),
                    at: [.key("layer_statistics")])
            ])
    }

    @Test func `more than a hundred issues are counted`() {
        let bad = #"{"layer_id":1}"#
        let issues = Payloads.issues(Payloads.payload(layers: Array(repeating: bad, count: 30)))
        #expect(issues.count == 101)
        #expect(issues.last == "too_many_errors ")
        #expect(issues[0] == "string_type layer_statistics/0/layer_id")
    }

    @Test(arguments: [
        ("7", "ok"), ("7.0", "ok"), ("1e2", "ok"), ("9223372036854775807", "ok"), ("0.5e1", "ok"),
        ("9223372036854775808", "int_parsing_size metadata/global_step"),
        ("1e30", "int_parsing_size metadata/global_step"),
        ("100000000000000000000000.5", "int_from_float metadata/global_step"),
        ("1e999", "finite_number metadata/global_step"),
        ("NaN", "finite_number metadata/global_step"),
        ("-1", "greater_than_equal metadata/global_step"),
        ("1e-3", "int_from_float metadata/global_step"),
        ("true", "int_type metadata/global_step"),
        ("\"7\"", "int_type metadata/global_step"),
        ("null", "int_type metadata/global_step"),
    ])
    func `integers are read exactly or refused`(text: String, outcome: String) {
        let metadata = #""metadata":{"run_id":"r","timestamp":1.5,"global_step":\#(text),"batch_size":32}"#
        let issues = Payloads.issues(Payloads.payload(metadata: metadata))
        #expect(issues == (outcome == "ok" ? [] : [outcome]))
    }

    @Test func `a lone surrogate is an issue only in a field that is read`() {
        let metadata = #""metadata":{"run_id":"\ud800","timestamp":1,"global_step":1,"batch_size":1,"x":"\udc00"}"#
        #expect(Payloads.issues(Payloads.payload(metadata: metadata)) == ["string_unicode metadata/run_id"])
        let pair = #""metadata":{"run_id":"\ud83d\ude00","timestamp":1,"global_step":1,"batch_size":1}"#
        #expect(Payloads.issues(Payloads.payload(metadata: pair)).isEmpty)
    }

    @Test func `cutting a payload anywhere is broken JSON and nothing worse`() {
        let payload = Array(Payloads.payload(layers: [Payloads.layer(bias: #"{"std":8e-2,"mean_abs":9}"#)]).utf8)
        for length in 1..<payload.count {
            #expect(Payloads.issues(Array(payload[..<length])) == ["json_invalid \(length)"])
        }
    }

    @Test func `white space anywhere changes nothing`() throws {
        let payload = Payloads.payload(layers: [
            Payloads.layer(bias: "null"), Payloads.layer(id: "b", depth: "1", bias: #"{"std":8e-2,"mean_abs":9}"#),
        ])
        let compact = try StepDecoder.decode(Array(payload.utf8)).get()
        for space in [" ", "  ", "\n", "\r\n\t", "\n" + String(repeating: " ", count: 40)] {
            // No string of the payload contains these characters.
            for tokens in ["{", "}", "[", "]", ",", ":", ",:", "{}[],:"] {
                for isBefore in [true, false] {
                    let spaced = payload.flatMap { character -> String in
                        guard tokens.contains(character) else { return String(character) }
                        return isBefore ? space + String(character) : String(character) + space
                    }
                    let step = try StepDecoder.decode(Array(String(spaced).utf8)).get()
                    #expect(step.layout == compact.layout)
                    #expect(step.shapes == compact.shapes)
                    #expect(step.numbers.map(\.bitPattern) == compact.numbers.map(\.bitPattern))
                }
            }
        }
    }

    @Test func `a key after white space is consumed only if it is complete`() {
        let key = SchemaKey("std")
        func passes(_ text: String, first: Bool) -> Bool {
            let padded = Array((text + String(repeating: " ", count: TextWindow.size)).utf8)
            return padded.withUnsafeBufferPointer { buffer in
                var reader = JSONReader(buffer)
                var first = first
                return reader.consumeSpacedKey(key, first: &first) && reader.next == UInt8(ascii: "1") && !first
            }
        }
        for text in [#""std":1"#, #" "std": 1"#, "\n\t \"std\": \r\n1"] {
            #expect(passes(text, first: true))
            #expect(!passes(text, first: false))
            #expect(passes("," + text, first: false))
            #expect(passes(" \n, " + text, first: false))
            #expect(!passes("," + text, first: true))
        }
        for text in [#""stdx":1"#, #""st":1"#, #""std""#, #"std":1"#, "", #""s\u0074d":1"#] {
            #expect(!passes(text, first: true))
        }
    }

    @Test func `escaped keys are recognised and unknown keys are ignored`() throws {
        let escaped = Payloads.payload().replacing(#""depth_index""#, with: #""\u0064epth_index""#)
            .replacing(#""mean""#, with: #""unknown":[{}],"me\u0061n""#)
            .replacing(#""gradient_std""#, with: #""gradient_st\ud800":"x","gradient_std""#)
        #expect(escaped != Payloads.payload())
        let step = try StepDecoder.decode(Array(escaped.utf8)).get()
        let plain = try StepDecoder.decode(Array(Payloads.payload().utf8)).get()
        #expect(step.numbers.map(\.bitPattern) == plain.numbers.map(\.bitPattern))
        #expect(step.layout == plain.layout)
    }

    @Test func `control characters are those of unicode`() {
        for scalar in (0..<0x11_0000).lazy.compactMap({ Unicode.Scalar($0 as UInt32) }) {
            // All scalars up to U+3000, and a sample of the rest.
            if scalar.value > 0x3000 && scalar.value % 61 != 0 { continue }
            let isControl = scalar.properties.generalCategory == .control
            if PayloadDecoder.hasControlCharacter(Array("a\(scalar)b".utf8)) != isControl {
                Issue.record("U+\(String(scalar.value, radix: 16))")
            }
        }
    }

    @Test(arguments: [
        ("{}", ""), ("null", ""), (#"{"a":[]}"#, #"{"a":[]}"#),
        (#" { "a" : [ "x.y" , "z" ] } "#, #"{"a":["x/y","z"]}"#),
        (#"{"":[""],"b.c":["."]}"#, #"{"":[""],"b.c":["/"]}"#), (#"{"\u0061\"":["\u0041\n"]}"#, #"{"a\"":["A\n"]}"#),
        (#"{"a":["1"],"b":["2"],"a":["3"],"c":[],"b":[]}"#, #"{"a":["3"],"b":[],"c":[]}"#),
        (#"{"a":["1"],"\u0061":["2"]}"#, #"{"a":["2"]}"#), (#"{"a":1,"a":["2"]}"#, #"{"a":["2"]}"#),
        (#"{"a":[1,"\ud800"],"\ud800":[],"a":[],"\ufffd":["x"]}"#, #"{"a":[],"\#u{FFFD}":["x"]}"#),
    ])
    func `groups are kept as the JSON they are served as`(posted: String, served: String) throws {
        let metadata = Payloads.metadata.dropLast() + #","layer_groups":\#(posted)}"#
        let step = try StepDecoder.decode(Array(Payloads.payload(metadata: String(metadata)).utf8)).get()
        #expect(String(decoding: step.layout.groupsJSON, as: UTF8.self) == served)
    }
}
