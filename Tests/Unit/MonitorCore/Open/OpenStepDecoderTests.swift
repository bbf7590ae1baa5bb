import Foundations
import Testing

@testable import MonitorCore

@Suite struct OpenStepDecoderTests {
    @Test func `every field comes back`() throws {
        let payload =
            #"{"step":1200,"time":1795993300.81,"batch_size":64,"scalars":{"train/loss":0.31,"lr":3e-4},"#
            + #""layers":[{"id":"h.0.attn","type":"SelfAttention","depth":0,"shape":[64,128,768],"#
            + #""parameters":2359296,"trainable":false,"group":"h.0"},"h.0.mlp"],"#
            + #""metrics":{"gradient_l2_norm":[0.021,0.043],"activation_std":[1.02,null],"update_ratio":[1.1e-3,"NaN"]},"#
            + #""vectors":{"router_load":{"h.0.mlp":[0.11,0.14,0.09]}},"seq":7}"#
        let served = try OpenPayloads.served(payload)
        #expect(
            served
                == #"{"step":1200,"time":1795993300.81,"seq":1,"batch_size":64,"scalars":{"train/loss":0.31,"lr":0.0003},"#
                + #""layers":[{"id":"h/0/attn","type":"SelfAttention","depth":0,"shape":[64,128,768],"#
                + #""parameters":2359296,"trainable":false,"group":"h.0"},{"id":"h/0/mlp"}],"#
                + #""metrics":{"gradient_l2_norm":[0.021,0.043],"activation_std":[1.02,null],"#
                + #""update_ratio":[0.0011,"NaN"]},"vectors":{"router_load":{"h/0/mlp":[0.11,0.14,0.09]}}}"#)
        #expect(OpenPayloads.decode(payload).warnings.isEmpty)
    }

    @Test(arguments: [
        #"{"step":0}"#, "\u{FEFF} \t\r\n{ \"step\" : 0 }\n", #"{"\u0073tep":0e5}"#,
        #"{"step":0,"time":null,"batch_size":null,"scalars":null,"layers":null,"metrics":null,"vectors":null}"#,
        #"{"step":0,"scalars":{},"layers":[],"metrics":{},"vectors":{}}"#,
        #"{"vectors":{"v":{}},"metrics":{"m":[]},"step":0,"scalars":{"a":null},"seq":{"x":[NaN]}}"#,
        #"{"step":0,"metrics":{"m":null},"vectors":{"v":null,"w":{"a":null}}}"#,
    ])
    func `a step alone is enough, and null is absent`(payload: String) throws {
        let result = OpenPayloads.decode(payload)
        let step = try result.accepted
        #expect(step.step == 0)
        #expect(step.timestamp == 1_795_993_300.81)
        #expect(step.batchSize == 0)
        #expect(step.numbers.isEmpty)
        #expect(step.layout.layerCount == 0)
        #expect(result.warnings.isEmpty)
    }

    @Test(arguments: [
        ("NaN", "\"NaN\""), ("Infinity", "\"Infinity\""), ("-Infinity", "\"-Infinity\""), ("\"NaN\"", "\"NaN\""),
        ("\"Infinity\"", "\"Infinity\""), ("\"-Infinity\"", "\"-Infinity\""), ("\"N\\u0061N\"", "\"NaN\""),
        ("1e999", "\"Infinity\""), ("-1e999", "\"-Infinity\""), ("1e-999", "0"), ("-0.0", "-0"), ("7", "7"),
        ("-7", "-7"), ("12345678901234567890123", "1.2345678901234568e+22"), ("5e-324", "5e-324"),
    ])
    func `every value may be any number, finite or not`(posted: String, served: String) throws {
        let payload =
            #"{"step":1,"time":2,"scalars":{"s":V},"layers":["a","b"],"metrics":{"m":[V,V]},"vectors":{"v":{"a":[V,V]}}}"#
            .split(separator: "V", omittingEmptySubsequences: false).joined(separator: posted)
        let expected =
            #"{"step":1,"time":2,"seq":1,"scalars":{"s":V},"layers":[{"id":"a"},{"id":"b"}],"metrics":{"m":[V,V]},"#
            + #""vectors":{"v":{"a":[V,V]}}}"#
        let found = try OpenPayloads.served(payload)
        #expect(found == expected.split(separator: "V", omittingEmptySubsequences: false).joined(separator: served))
    }

    @Test(arguments: [
        ("", "missing "), ("[]", "model_attributes_type "), ("7", "model_attributes_type "), ("{", "json_invalid 1"),
        (#"{"step":1}x"#, "json_invalid 10"), (#"{"step":01}"#, "json_invalid 9"), ("{}", "missing step"),
        (#"{"step":null}"#, "int_type step"), (#"{"step":-1}"#, "greater_than_equal step"),
        (#"{"step":1.5}"#, "int_from_float step"), (#"{"step":"1"}"#, "int_type step"),
        (#"{"step":9223372036854775808}"#, "int_parsing_size step"), (#"{"step":1e999}"#, "finite_number step"),
        (#"{"step":NaN}"#, "finite_number step"), (#"{"step":"NaN"}"#, "int_type step"),
        (#"{"step":1,"time":0}"#, "greater_than time"), (#"{"step":1,"time":"x"}"#, "float_type time"),
        (#"{"step":1,"time":true}"#, "float_type time"), (#"{"step":1,"batch_size":0}"#, "greater_than batch_size"),
        (#"{"step":1,"scalars":[]}"#, "dict_type scalars"),
        (#"{"step":1,"scalars":{"x":"y"}}"#, "float_type scalars/x"),
        (#"{"step":1,"scalars":{"":1}}"#, "string_too_short scalars/"),
        (#"{"step":1,"scalars":{"a\n":1}}"#, "string_pattern_mismatch scalars/a\n"),
        (#"{"step":1,"scalars":{"\u0085":1}}"#, "string_pattern_mismatch scalars/\u{85}"),
        (#"{"step":1,"scalars":{"\ud800":1}}"#, "string_unicode scalars/\u{FFFD}"),
        (#"{"step":1,"layers":{}}"#, "list_type layers"),
        (#"{"step":1,"layers":[5]}"#, "model_attributes_type layers/0"),
        (#"{"step":1,"layers":[""]}"#, "string_too_short layers/0"),
        (#"{"step":1,"layers":[{}]}"#, "missing layers/0/id"),
        (#"{"step":1,"layers":[{"id":null}]}"#, "string_type layers/0/id"),
        (#"{"step":1,"layers":["a",{"id":"a"}]}"#, "value_error layers/1/id"),
        (#"{"step":1,"layers":["a.b","a/b"]}"#, "value_error layers/1"),
        (#"{"step":1,"layers":[{"id":"a","type":1}]}"#, "string_type layers/0/type"),
        (#"{"step":1,"layers":[{"id":"a","depth":-1}]}"#, "greater_than_equal layers/0/depth"),
        (#"{"step":1,"layers":[{"id":"a","depth":NaN}]}"#, "finite_number layers/0/depth"),
        (#"{"step":1,"layers":[{"id":"a","parameters":"NaN"}]}"#, "int_type layers/0/parameters"),
        (#"{"step":1,"layers":[{"id":"a","trainable":1}]}"#, "bool_type layers/0/trainable"),
        (#"{"step":1,"layers":[{"id":"a","shape":7}]}"#, "list_type layers/0/shape"),
        (#"{"step":1,"layers":[{"id":"a","shape":[2,null]}]}"#, "int_type layers/0/shape/1"),
        (#"{"step":1,"metrics":{"m":[1]}}"#, "too_long metrics/m"),
        (#"{"step":1,"metrics":{"m":[1]},"layers":["a","b"]}"#, "too_short metrics/m"),
        (#"{"step":1,"metrics":{"m":7},"layers":["a","b"]}"#, "list_type metrics/m"),
        (#"{"step":1,"metrics":{"m":["x"]},"layers":["a"]}"#, "float_type metrics/m/0"),
        (#"{"step":1,"vectors":{"v":3}}"#, "dict_type vectors/v"),
        (#"{"step":1,"vectors":{"v":{"a":3}}}"#, "list_type vectors/v/a"),
        (#"{"step":1,"vectors":{"v":{"a":[1,null]}}}"#, "float_type vectors/v/a/1"),
        (#"{"step":1,"vectors":{"v":{"":[1]}}}"#, "string_too_short vectors/v/"),
        (#"{"step":1,"vectors":{"v":{"a.b":[1],"a/b":[2]}}}"#, "value_error vectors/v/a/b"),
    ])
    func `an error has its type and its place`(payload: String, issue: String) {
        #expect(OpenPayloads.decode(payload).issues == [issue])
    }

    @Test func `errors come in schema order whatever the order of the text`() {
        let payload =
            #"{"vectors":{"v":3},"metrics":{"m":[1,"z"],"n":[1]},"layers":[{"depth":-1,"id":""},"b",7],"#
            + #""scalars":{"x":"y"},"batch_size":0,"time":-1,"step":-1}"#
        #expect(
            OpenPayloads.decode(payload).issues == [
                "greater_than_equal step", "greater_than time", "greater_than batch_size", "float_type scalars/x",
                "string_too_short layers/0/id", "greater_than_equal layers/0/depth", "model_attributes_type layers/2",
                "float_type metrics/m/1", "too_short metrics/m", "too_short metrics/n", "dict_type vectors/v",
            ])
    }

    @Test func `a hundred errors are listed and the others counted`() {
        let scalars = (0..<150).map { #""s\#($0)":"x""# }.joined(separator: ",")
        let columns = (0..<300).map { #""m\#($0)":["x"]"# }.joined(separator: ",")
        for payload in [#"{"step":1,"scalars":{\#(scalars)}}"#, #"{"step":1,"metrics":{\#(columns)}}"#] {
            let issues = OpenPayloads.decode(payload, limits: OpenStepLimits(metrics: 1000)).issues
            #expect(issues.count == 101)
            #expect(issues.last == "too_many_errors ")
        }
        let ids = (0..<300).map { _ in #"{"type":1,"id":2}"# }.joined(separator: ",")
        let issues = OpenPayloads.decode(#"{"step":1,"layers":[\#(ids)]}"#).issues
        #expect(issues[..<3] == ["string_type layers/0/id", "string_type layers/0/type", "string_type layers/1/id"])
        #expect(issues[99] == "string_type layers/49/type")
    }

    @Test func `limits hold for what is there`() {
        let limits = OpenStepLimits(scalars: 3, metrics: 2)
        func issues(_ rest: String) -> [String] {
            OpenPayloads.decode(#"{"step":1,"layers":["a"],\#(rest)}"#, limits: limits).issues
        }
        #expect(issues(#""scalars":{"a":1,"b":2,"c":3,"d":null}"#).isEmpty)
        #expect(issues(#""scalars":{"a":1,"b":2,"c":3,"d":4}"#) == ["too_long scalars"])
        #expect(issues(#""scalars":{"a":1,"b":2,"c":3,"a":4}"#).isEmpty)
        #expect(issues(#""metrics":{"a":[1],"b":[2],"c":null}"#).isEmpty)
        #expect(issues(#""metrics":{"a":[1],"b":[2],"c":[3]}"#) == ["too_long metrics"])
        #expect(issues(#""vectors":{"a":{},"b":{},"c":{}}"#) == ["too_long vectors"])
        let long = String(repeating: "é", count: 64)
        #expect(issues(#""scalars":{"\#(long)":1}"#).isEmpty)
        #expect(issues(#""scalars":{"\#(long)x":1}"#) == ["string_too_long scalars/\(long)x"])
        let values = Array(repeating: "0", count: 4096).joined(separator: ",")
        #expect(issues(#""vectors":{"v":{"a":[\#(values)]}}"#).isEmpty)
        #expect(issues(#""vectors":{"v":{"a":[\#(values),1]}}"#) == ["too_long vectors/v/a"])
        let dimensions = Array(repeating: "1", count: 32).joined(separator: ",")
        let id = String(repeating: "i", count: 1024)
        func layer(_ text: String) -> [String] { OpenPayloads.decode(#"{"step":1,"layers":[\#(text)]}"#).issues }
        #expect(layer(#"{"id":"\#(id)","type":"\#(id)","group":"\#(id)","shape":[\#(dimensions)]}"#).isEmpty)
        #expect(layer(#"{"id":"a","shape":[\#(dimensions),1]}"#) == ["too_long layers/0/shape"])
        #expect(layer(#""x\#(id)""#) == ["string_too_long layers/0"])
        #expect(layer(#"{"id":"a","type":"x\#(id)"}"#) == ["string_too_long layers/0/type"])
    }

    @Test func `the last of duplicate keys counts, and its errors alone`() throws {
        let payload =
            #"{"step":"x","step":2,"time":NaN,"time":1,"scalars":7,"scalars":{"a":"x","b":1,"c":5,"a":2,"c":null},"#
            + #""layers":[{"id":1,"depth":-1,"shape":[1,"x"],"id":"l","depth":3,"shape":[4]}],"#
            + #""metrics":{"m":["x",1],"n":[6],"m":[5]},"#
            + #""vectors":{"v":7,"w":{"a":["x"],"b":[1,2],"a":[3]},"v":{"c":[4]}}}"#
        let result = OpenPayloads.decode(payload)
        #expect(
            OpenPayloads.served(try result.record)
                == #"{"step":2,"time":1,"seq":1,"scalars":{"b":1,"a":2},"layers":[{"id":"l","depth":3,"shape":[4]}],"#
                + #""metrics":{"n":[6],"m":[5]},"vectors":{"w":{"b":[1,2],"a":[3]},"v":{"c":[4]}}}"#)
        #expect(result.warnings.isEmpty)
    }

    @Test func `attributes are null where a layer has none`() throws {
        let layers =
            #""a",{"id":"b","parameters":5,"group":"","type":""},{"id":"c","trainable":true,"shape":[]},"d","#
            + #"{"id":"e","shape":[2,3],"group":"g","depth":0}"#
        #expect(
            try OpenPayloads.served(#"{"step":1,"time":1,"layers":[\#(layers)]}"#)
                == #"{"step":1,"time":1,"seq":1,"layers":[{"id":"a"},{"id":"b","type":"","parameters":5,"group":""},"#
                + #"{"id":"c","shape":[],"trainable":true},{"id":"d"},{"id":"e","depth":0,"shape":[2,3],"group":"g"}]}"#
        )
    }

    @Test func `v1's ratios come first among the scalars`() throws {
        let step = try OpenPayloads.decode(
            #"{"step":1,"time":1,"scalars":{"loss":1,"gradient_norm_ratio/x.y":2,"feature_std_gradient":3,"#
                + #""gradient_norm_ratio/":4}}"#
        ).accepted
        let record = StepRecord(step)
        #expect(record.columns.ratios == 0..<2)
        #expect(record.numbers == [2, 4, 1, 3])
        #expect(record.columns.featureStdGradient == 3)
    }
}
