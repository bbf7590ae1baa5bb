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
            case .subscribe(let subscription): compare(subscription, json)
            case .watch(let request): compare(request, json)
            }
        }
    }

    private func compare(_ subscription: RunSubscription, _ json: Any) {
        require(FoundationJSON.text(json, "action") == "subscribe_run", "a subscription was asked for")
        require(FoundationJSON.text(json, "run_id") == subscription.runID.text, "the run that was asked for")
        let lite = (FoundationJSON.value(json, "lite") as? Bool) ?? false
        compare(subscription.form, json, unnamed: .nested(lite ? .lite : .full))
        let sinceSeq = FoundationJSON.number(json, "since_seq")
        require(sinceSeq == subscription.sinceSeq.map { Double($0) }, "the seq that was asked for")
        require(FoundationJSON.number(json, "limit") == subscription.limit.map { Double($0) }, "the limit")
        require(FoundationJSON.text(json, "created_at") == subscription.createdAt, "the time of the run's beginning")
        let isAdded = FoundationJSON.text(json, "form") != nil || sinceSeq != nil
        require(isAdded == subscription.isAdded, "later steps come in the form of the history")
    }

    private func compare(_ request: WatchRequest, _ json: Any) {
        require(FoundationJSON.text(json, "action") == "watch", "a change of what is watched was asked for")
        let runs = FoundationJSON.value(json, "run_ids") as? [String]
        require(runs == request.runIDs?.map(\.text), "the runs that were asked for")
        compare(request.form, json, unnamed: .nested(.full))
    }

    private func compare(_ form: LiveForm, _ json: Any, unnamed: LiveForm) {
        switch FoundationJSON.text(json, "form") {
        case nil: require(form == unnamed, "the form when none is named")
        case "full": require(form == .nested(.full), "the full form")
        case "lite": require(form == .nested(.lite), "the lite form")
        case "runs": require(form == .runs, "the form without steps")
        case "columns":
            let metrics = (FoundationJSON.value(json, "metrics") as? [String]).map { Set($0.map { ByteString($0) }) }
            let hasLayers = (FoundationJSON.value(json, "layers") as? Bool) ?? true
            let selection = OpenStepForm(metrics: metrics, isStructureShared: !hasLayers)
            require(form == .columns(selection), "the columns that were asked for")
        default: fatalError("an accepted form is known")
        }
    }
}
