import Foundation
import Foundations
import MonitorCore

/// Compares the decoding of updates and alerts of runs with Foundation.
final class RunUpdateTarget: FuzzTarget {
    init() {}

    func run(_ input: [UInt8]) {
        let text = Array(input)
        // Our decoder accepts lone surrogates and non-JSON numbers in ignored values; Foundation rejects them.
        let json = FoundationJSON.hasDuplicateKeys(text) ? nil : FoundationJSON.read(text)
        switch RunUpdateDecoder.update(text) {
        case .failure(let rejection): check(rejection)
        case .success(let update):
            if let config = update.config { check(config, FoundationJSON.value(json, "config")) }
            if let json, case .set(let name) = update.name {
                require(FoundationJSON.text(json, "name").map { Array($0.utf8) } == name, "the posted name")
            }
        }
        switch RunUpdateDecoder.alert(text) {
        case .failure(let rejection): check(rejection)
        case .success(let alert):
            require(!alert.title.isEmpty, "an alert has a title")
            guard let json else { return }
            require(FoundationJSON.text(json, "title").map { Array($0.utf8) } == alert.title, "the posted title")
        }
    }

    private func check(_ posted: [UInt8], _ expected: Any?) {
        let config = RunConfig().merged(with: posted)
        require(config.merged(with: posted) == config, "merging twice changes nothing")
        var writer = JSONWriter()
        config.append(to: &writer)
        guard let expected = expected as? [String: Any] else { return }
        let read = FoundationJSON.read(writer.bytes) as? [String: Any]
        let kept = expected.filter { !($0.value is NSNull) }
        // Foundation compares keys by canonical equivalence, so two keys may become one.
        require(read.map { $0.count <= kept.count } == true, "the config is an object with the posted members")
        require(read.map { Set($0.keys).isSubset(of: kept.keys) } == true, "the keys are those that were posted")
    }

    private func check(_ rejection: RejectedPayload) {
        require((1...101).contains(rejection.issues.count), "a rejection has at most 101 items")
        require(FoundationJSON.read(rejection.body()) != nil, "a rejection is valid JSON")
    }
}
