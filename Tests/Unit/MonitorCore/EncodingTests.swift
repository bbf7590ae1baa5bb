import Foundation
import Testing
import Foundations

@testable import MonitorCore

@Suite struct EncodingTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `a step has the keys of SCHEMA.md in their order`() async {
        let store = MemoryStore(limits: StoreLimits())
        let record = await store.append(
            Payloads.step(7, layers: [Payloads.layer(bias: #"{"std":8,"mean_abs":9}"#), Payloads.layer(depth: "1")])
        ).step.record
        let layer =
            #""layer_type":"Conv2d","depth_index":0,"intermediate_features":{"activation_std":0.5,"#
            + #""activation_mean":-0.125,"activation_shape":[32,64],"cross_layer_std_ratio":null},"#
            + #""gradient_flow":{"gradient_l2_norm":1.0,"gradient_std":2.0,"gradient_max_abs":3.0},"#
            + #""parameter_statistics":{"weight":{"std":4.0,"mean":-5.0,"spectral_norm":6.0,"frobenius_norm":7.0},"#
        let full = text { StepEncoder.append(record, to: &$0) }
        #expect(
            full.hasPrefix(
                #"{"step":7,"timestamp":1.0,"batch_size":1,"layers":[{"layer_id":"conv/1","# + layer
                    + #""bias":{"std":8.0,"mean_abs":9.0}}},{"layer_id":"conv/1","#))
        #expect(
            full.hasSuffix(
                #""bias":null}}],"cross_layer":{"feature_std_gradient":-0.25,"gradient_norm_ratio":{"a.b":1.5}},"#
                    + #""layer_groups":null}"#))
        let lite = text { StepEncoder.append(record, form: .lite, to: &$0) }
        #expect(
            lite.contains(
                #""depth_index":0,"intermediate_features":{"activation_std":0.5,"cross_layer_std_ratio":null},"#
                    + #""gradient_flow":{"gradient_l2_norm":1.0,"gradient_max_abs":3.0}},{"#))
    }

    @Test func `a history in small pieces is the same text`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        for number in 0..<20 { _ = await store.append(Payloads.step(number, run: #"a\"b"#)) }
        let snapshot = try #require(await store.snapshot(of: "a\"b"))
        func collect(_ size: Int) async throws -> String {
            var encoder = HistoryEncoder.message(RunHistory(snapshot), form: .nested(.full))
            var writer = JSONWriter()
            var all: [UInt8] = []
            var last = false
            while !last {
                last = try await encoder.next(into: &writer, size: size)
                all += writer.bytes
            }
            return String(decoding: all, as: UTF8.self)
        }
        let whole = try await collect(.max)
        #expect(try await collect(1) == whole)
        #expect(try await collect(1500) == whole)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(whole.utf8)) as? [String: Any])
        #expect(object["run_id"] as? String == "a\"b")
        let data = try #require(object["data"] as? [String: Any])
        #expect((data["steps"] as? [[String: Any]])?.compactMap { $0["step"] as? Int } == Array(0..<20))
    }

    @Test func `text is escaped as JSON requires`() {
        #expect(text { $0.string("a\"\\\u{1}\n\u{7F}é") } == "\"a\\\"\\\\\\u0001\\n\u{7F}é\"")
    }

    @Test(
        arguments: [
            (#"{"action":"ping"}"#, .success(.ping)),
            (#"{"action":"subscribe_run","run_id":"x\u00e9"}"#, .success(.subscribe(RunSubscription(runID: "xé")))),
            (
                #"{"lite":true,"action":"subscribe_run","run_id":""}"#,
                .success(.subscribe(RunSubscription(runID: "", form: .nested(.lite))))
            ),
            ("{", .failure(.init(message: "Invalid JSON format"))),
            ("", .failure(.init(message: "Invalid JSON format"))),
            ("7", .failure(.init(message: "A message must be a JSON object with an \"action\""))),
            ("{}", .failure(.init(message: "The message has no \"action\""))),
            (#"{"action":"dance"}"#, .failure(.init(message: "Unknown action 'dance'"))),
            (#"{"action":"subscribe_run","run_id":7}"#, .failure(.init(message: "\"run_id\" must be a string"))),
        ] as [(String, Result<SubscriberAction, SubscriberAction.InvalidAction>)])
    func `actions are read or explained`(
        message: String, outcome: Result<SubscriberAction, SubscriberAction.InvalidAction>
    ) {
        #expect(SubscriberAction.decode(Array(message.utf8)) == outcome)
    }
}
