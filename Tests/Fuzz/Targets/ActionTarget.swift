import Foundation
import MonitorCore
import Foundations

/// Compares the decoding of subscribers' messages with Foundation.
final class ActionTarget: FuzzTarget {
    init() {}

    func run(_ input: [UInt8]) {
        let text = Array(input)
        let json = FoundationJSON.read(text)
        switch SubscriberAction.decode(input) {
        case .failure(let invalid):
            require(!invalid.message.isEmpty, "an error has a message")
            require(invalid.message.utf8.count < 1024, "a message is short for any input")
        case .success(let action):
            // Our decoder accepts lone surrogates and non-JSON numbers in ignored values; Foundation rejects them.
            guard let json, !FoundationJSON.hasDuplicateKeys(text) else { return }
            switch action {
            case .ping: require(FoundationJSON.text(json, "action") == "ping", "the action is a ping")
            case .subscribe(let runID, let form):
                require(FoundationJSON.text(json, "action") == "subscribe_run", "the action is a subscription")
                require(FoundationJSON.text(json, "run_id") == runID.text, "the requested run")
                let lite = (FoundationJSON.value(json, "lite") as? Bool) ?? false
                require((form == .lite) == lite, "the requested form")
            }
        }
    }
}
