import Testing

@testable import MonitorCore

/// What refusing a payload costs: bounded by its length, whatever is wrong with it and however often.
@Suite struct RejectionBoundsTests {
    static func metadata(groups: String) -> String {
        #""metadata":{"run_id":"r","timestamp":1,"global_step":1,"batch_size":1,"layer_groups":\#(groups)}"#
    }

    static func repeated(_ value: String, _ count: Int) -> String {
        Array(repeating: value, count: count).joined(separator: ",")
    }

    static func rejection(_ payload: String) -> RejectedPayload {
        guard case .failure(let rejection) = StepDecoder.decode(Array(payload.utf8)) else {
            return RejectedPayload(issues: [])
        }
        return rejection
    }

    @Test(arguments: ["1", #""\ud800""#])
    func manyIssuesBelowOneLongKeyDoNotCostTheirProduct(member: String) {
        let key = String(repeating: "A", count: 100_000)
        let groups = "{\"\(key)\":[\(Self.repeated(member, 1000))]}"
        let rejection = Self.rejection(Payloads.payload(metadata: Self.metadata(groups: groups)))
        #expect(rejection.issues.count == 101)
        let cut = String(repeating: "A", count: 1024) + "…"
        for (index, issue) in rejection.issues.dropLast().enumerated() {
            #expect(issue.location == [.key("metadata"), .key("layer_groups"), .key(cut), .index(index)])
        }
        #expect(rejection.issues.last == PayloadIssue(.tooManyErrors(left: 900), at: []))
        #expect(rejection.body().count < 200_000)
    }

    @Test func theTextOfAKeyIsMadeOnceForAllItsIssues() {
        var found = KeyedIssues()
        for occurrence in 0..<3 {
            for index in 0..<50 { found.add(.stringExpected, occurrence: occurrence, index: index) }
        }
        var issues = IssueList()
        var asked: [Int] = []
        found.report(to: &issues, PayloadPlace(.metadata, field: 4)) { occurrence in
            asked.append(occurrence)
            return [UInt8(ascii: "k")]
        }
        #expect(asked == [0, 1, 2])
        #expect(issues.rejection().issues.count == 101)
    }

    @Test func theWayToAnIssueThatIsOnlyCountedIsNotMade() {
        var issues = IssueList()
        var made = 0
        func way() -> [PayloadIssue.Location] {
            made += 1
            return [.index(made)]
        }
        for _ in 0..<30_000 { issues.add(.integerExpected, PayloadPlace(.features, layer: 0, field: 2), below: way()) }
        #expect(made == 10_000)
        #expect(issues.rejection().issues.last?.kind == .tooManyErrors(left: 29_900))
    }

    @Test func aLongKeyIsCutBetweenTwoCharacters() {
        for (character, kept) in [("a", 1024), ("é", 512), ("€", 341), ("😀", 256)] {
            let cross =
                #""cross_layer_analysis":{"feature_std_gradient":0,"gradient_norm_ratio":{"#
                + "\"\(String(repeating: character, count: 3000))\":null}}"
            let key = String(repeating: character, count: kept) + "…"
            #expect(
                Payloads.issues(Payloads.payload(cross: cross))
                    == ["float_type cross_layer_analysis/gradient_norm_ratio/\(key)"])
        }
        let whole = String(repeating: "€", count: 341) + "a"
        let cross =
            #""cross_layer_analysis":{"feature_std_gradient":0,"gradient_norm_ratio":{"\#(whole)":null}}"#
        #expect(
            Payloads.issues(Payloads.payload(cross: cross))
                == ["float_type cross_layer_analysis/gradient_norm_ratio/\(whole)"])
    }
}
