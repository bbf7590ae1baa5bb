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
        case .failure(let misunderstood):
            require(!misunderstood.message.isEmpty, "a refusal says why")
            require(misunderstood.message.utf8.count < 1024, "a refusal is short, whatever was sent")
        case .success(let action):
            // Our decoder accepts lone surrogates and non-JSON numbers in ignored values; Foundation rejects them.
            guard let json, !FoundationJSON.hasDuplicateKeys(text) else { return }
            switch action {
            case .ping: require(FoundationJSON.text(json, "action") == "ping", "a ping asks for a pong")
            case .subscribe(let runID, let form):
                require(FoundationJSON.text(json, "action") == "subscribe_run", "a subscription was asked for")
                require(FoundationJSON.text(json, "run_id") == runID.text, "the run that was asked for")
                let lite = (FoundationJSON.value(json, "lite") as? Bool) ?? false
                require((form == .lite) == lite, "the form that was asked for")
            }
        }
    }
}
