// This file is long because it has one test for each transition of the state machine.

import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct StateMachineTests {
    typealias Machine = HTTPConnection.StateMachine

    let start = NIODeadline.uptimeNanoseconds(0)

    func machine() -> Machine {
        Machine(
            limits: Machine.Limits(
                headTimeout: .seconds(10), bodyTimeout: .seconds(60), idleTimeout: .seconds(75),
                lingerTimeout: .seconds(5), lingerBytes: 1_000, drainBytes: 100), now: self.start)
    }

    func head(_ headers: HTTPHeaders = [:], method: HTTPMethod = .POST, version: HTTPVersion = .http1_1)
        -> Machine.Part
    {
        .head(HTTPRequestHead(version: version, method: method, uri: "/", headers: headers))
    }

    func bytes(_ count: Int) -> Machine.Part { .body(ByteBuffer(repeating: 0x61, count: count)) }

    func name(_ step: Machine.Step?) -> String {
        switch step {
        case .admit: "admit"
        case .collect(let bytes): "collect \(bytes.readableBytes)"
        case .execute: "execute"
        case .refuse(let failure): "refuse \(failure)"
        case .finish: "finish"
        case .halfClose: "halfClose"
        case .close: "close"
        case nil: "nothing"
        }
    }

    func next(_ machine: inout Machine, writable: Bool = true) -> String {
        self.name(machine.next(now: self.start, writable: writable))
    }

    func begins(_ machine: inout Machine) -> Bool { machine.answerBegins(closing: false) }
    func letIn(_ machine: inout Machine, bodyIsHere: Bool = false) -> Bool {
        machine.letIn(now: self.start, bodyIsHere: bodyIsHere)
    }
    func ended(_ machine: inout Machine) -> String { self.name(machine.answerEnded(now: self.start)) }
    func late(_ machine: inout Machine) -> String { self.name(machine.deadlinePassed()) }
    func quiesce(_ machine: inout Machine) -> String { self.name(machine.quiesce()) }
    func arrive(_ machine: inout Machine, _ count: Int) -> String {
        self.name(machine.bytesArrived(count, now: self.start))
    }

    @Test func aRequestGoesThroughItsTurnAndTheConnectionIsIdleAgain() {
        var machine = self.machine()
        machine.receive(self.head(["Content-Length": "3"]))
        #expect(self.next(&machine) == "admit")
        #expect(self.next(&machine) == "nothing")
        #expect(self.letIn(&machine) == false)
        machine.receive(self.bytes(3))
        #expect(self.next(&machine) == "collect 3")
        machine.receive(.end)
        #expect(self.next(&machine) == "execute")
        #expect(machine.deadline == nil)
        #expect(self.begins(&machine))
        #expect(self.ended(&machine) == "nothing")
        #expect(machine.deadline == self.start + .seconds(75))
    }

    @Test func aPipelinedRequestWaitsUntilTheFirstIsAnsweredAndStopsTheReading() {
        var machine = self.machine()
        machine.receive(self.head(method: .GET))
        machine.receive(.end)
        #expect(self.next(&machine) == "admit")
        _ = self.letIn(&machine)
        #expect(self.next(&machine) == "execute")
        #expect(machine.mayRead)
        machine.receive(self.head(method: .GET))
        machine.receive(.end)
        #expect(self.next(&machine) == "nothing")
        #expect(!machine.mayRead)
        _ = self.begins(&machine)
        _ = machine.answerEnded(now: self.start)
        #expect(self.next(&machine) == "admit")
    }

    @Test func noRequestIsBegunWhileTheClientTakesNoAnswers() {
        var machine = self.machine()
        machine.receive(self.head(method: .GET))
        #expect(self.next(&machine, writable: false) == "nothing")
        #expect(self.next(&machine, writable: true) == "admit")
    }

    @Test(arguments: [
        // The length of the body, the `Expect` header, whether the connection stays open.
        ("100", nil, true), ("101", nil, false), ("100", "100-continue", false), ("0", "100-continue", true),
        ("100", "miracles", false),
    ])
    func aConnectionStaysAfterAnEarlyAnswerOnlyWhenTheRestIsSmall(length: String, expects: String?, stays: Bool) {
        var machine = self.machine()
        var headers: HTTPHeaders = ["Content-Length": length]
        if let expects { headers.add(name: "Expect", value: expects) }
        machine.receive(self.head(headers))
        _ = self.next(&machine)
        machine.refused(distrust: false)
        #expect(self.begins(&machine) == stays)
        #expect(self.ended(&machine) == (stays ? "nothing" : "halfClose"))
    }

    @Test func aBodyThatIsHereAlreadyNeverClosesTheConnection() {
        var machine = self.machine()
        machine.receive(self.head(["Transfer-Encoding": "chunked"]))
        machine.receive(self.bytes(5_000))
        machine.receive(.end)
        _ = self.next(&machine)
        machine.refused(distrust: false)
        #expect(self.begins(&machine))
        _ = machine.answerEnded(now: self.start)
    }

    @Test func theRestOfARefusedBodyIsThrownAwayBeforeTheNextRequest() {
        var machine = self.machine()
        machine.receive(self.head(["Content-Length": "50"]))
        _ = self.next(&machine)
        machine.refused(distrust: false)
        #expect(self.begins(&machine))
        _ = machine.answerEnded(now: self.start)
        machine.receive(self.bytes(50))
        #expect(self.next(&machine) == "nothing")
        #expect(machine.deadline == self.start + .seconds(5))
        machine.receive(.end)
        machine.receive(self.head(method: .GET))
        #expect(self.next(&machine) == "admit")
    }

    @Test func theLastAnswerIsFollowedByABoundedLingering() {
        var machine = self.machine()
        machine.receive(self.head(["Content-Length": "5000"]))
        _ = self.next(&machine)
        machine.refused(distrust: false)
        _ = self.begins(&machine)
        #expect(self.ended(&machine) == "halfClose")
        #expect(machine.mayRead)
        #expect(self.arrive(&machine, 1_000) == "nothing")
        #expect(self.arrive(&machine, 1) == "close")
    }

    @Test func lingeringEndsWithTheClientsEndAndWithTime() {
        for byTime in [true, false] {
            var machine = self.machine()
            machine.receive(self.head(["Connection": "close"], method: .GET))
            machine.receive(.end)
            _ = self.next(&machine)
            _ = self.letIn(&machine)
            #expect(self.next(&machine) == "execute")
            #expect(!self.begins(&machine))
            #expect(self.ended(&machine) == "halfClose")
            if byTime {
                #expect(machine.deadline == self.start + .seconds(5))
                #expect(self.late(&machine) == "close")
            } else {
                machine.receive(.inputClosed)
                #expect(self.next(&machine) == "close")
            }
        }
    }

    @Test func theFirstHeadsDeadlineRunsFromTheStartAndLaterOnesFromTheirFirstByte() {
        var machine = self.machine()
        #expect(machine.deadline == self.start + .seconds(10))
        _ = machine.bytesArrived(1, now: self.start + .seconds(9))
        #expect(machine.deadline == self.start + .seconds(10))
        machine.receive(self.head(method: .GET))
        machine.receive(.end)
        _ = self.next(&machine)
        _ = self.letIn(&machine)
        _ = self.next(&machine)
        _ = self.begins(&machine)
        _ = machine.answerEnded(now: self.start)
        _ = machine.bytesArrived(1, now: self.start + .seconds(30))
        #expect(machine.deadline == self.start + .seconds(40))
        _ = machine.bytesArrived(1, now: self.start + .seconds(39))
        #expect(machine.deadline == self.start + .seconds(40))
        #expect(self.late(&machine) == "refuse headTimeout")
    }

    @Test func anIdleConnectionIsClosedSilentlyWhenItsClientHasTakenEverything() {
        var machine = self.machine()
        #expect(self.late(&machine) == "finish")
        #expect(machine.deadline == nil)
        #expect(!machine.wantsInput(writable: true))
        #expect(self.ended(&machine) == "halfClose")
        #expect(machine.deadline == self.start + .seconds(5))
    }

    @Test func aFailureIsAnsweredAfterTheRequestsBeforeIt() {
        var machine = self.machine()
        machine.receive(self.head(method: .GET))
        machine.receive(.end)
        machine.receive(.failure(.malformed("x")))
        machine.receive(.failure(.malformed("a second one means nothing")))
        #expect(self.next(&machine) == "admit")
        _ = self.letIn(&machine)
        #expect(self.next(&machine) == "execute")
        #expect(self.begins(&machine))
        _ = machine.answerEnded(now: self.start)
        #expect(self.next(&machine) == "refuse malformed(\"x\")")
        #expect(!self.begins(&machine))
        #expect(self.ended(&machine) == "halfClose")
        #expect(self.next(&machine) == "nothing")
    }

    @Test func aClientThatStopsSendingStillGetsItsAnswers() {
        var machine = self.machine()
        machine.receive(self.head(method: .GET))
        machine.receive(.end)
        machine.receive(.inputClosed)
        _ = self.next(&machine)
        _ = self.letIn(&machine)
        #expect(self.next(&machine) == "execute")
        _ = self.begins(&machine)
        _ = machine.answerEnded(now: self.start)
        #expect(self.next(&machine) == "finish")
    }

    @Test func aHeadThatEndsTooEarlyIsRefused() {
        var machine = self.machine()
        #expect(self.arrive(&machine, 1) == "nothing")
        machine.receive(.inputClosed)
        #expect(self.next(&machine) == "refuse malformed(\"The request ended too early\")")
    }

    @Test func quiescingClosesAnIdleConnectionAndLetsABusyOneFinish() {
        var idle = self.machine()
        #expect(self.quiesce(&idle) == "finish")
        var busy = self.machine()
        busy.receive(self.head(method: .GET))
        busy.receive(.end)
        _ = self.next(&busy)
        _ = self.letIn(&busy)
        _ = self.next(&busy)
        #expect(self.quiesce(&busy) == "nothing")
        #expect(!self.begins(&busy))
        #expect(self.ended(&busy) == "halfClose")
    }

    @Test func quiescingLetsARefusedBodyComeToItsEnd() {
        var machine = self.machine()
        machine.receive(self.head(["Content-Length": "50"]))
        _ = self.next(&machine)
        machine.refused(distrust: false)
        #expect(self.begins(&machine))
        _ = self.ended(&machine)
        #expect(self.quiesce(&machine) == "nothing")
        machine.receive(self.bytes(50))
        machine.receive(.end)
        #expect(self.next(&machine) == "finish")
    }

    @Test func nothingIsDecodedBehindARequestUntilItIsAnswered() {
        var machine = self.machine()
        #expect(machine.wantsInput(writable: true))
        #expect(!machine.wantsInput(writable: false))
        machine.receive(self.head(["Content-Length": "3"]))
        #expect(!machine.wantsInput(writable: true))
        _ = self.next(&machine)
        _ = self.letIn(&machine)
        #expect(machine.wantsInput(writable: true))
        machine.receive(self.bytes(3))
        machine.receive(.end)
        while self.next(&machine) != "execute" {}
        #expect(!machine.wantsInput(writable: true))
        _ = self.begins(&machine)
        #expect(!machine.wantsInput(writable: true))
        _ = self.ended(&machine)
        #expect(machine.wantsInput(writable: true))
    }

    @Test func aFailureTakesThePlaceOfWhatTheDecoderHadMadeOfIt() {
        var machine = self.machine()
        machine.receive(self.head(["Transfer-Encoding": "chunked"]))
        _ = self.next(&machine)
        _ = self.letIn(&machine)
        machine.receive(self.bytes(3))
        machine.receive(.end)
        machine.fail(.headersTooLarge)
        #expect(self.next(&machine) == "refuse headersTooLarge")
        #expect(!machine.wantsInput(writable: true))
    }

    @Test(arguments: [
        ("close, keep-alive", HTTPVersion.http1_0, false), ("keep-alive, close", .http1_0, false),
        ("Keep-Alive", .http1_0, true), ("close", .http1_1, false), ("x, close", .http1_1, false),
        ("keep-alive", .http1_1, true), ("x", .http1_0, false),
    ])
    func aConnectionStaysAsItsOptionsSayAndCloseSaysMost(options: String, version: HTTPVersion, stays: Bool) {
        var machine = self.machine()
        machine.receive(self.head(["Connection": options], method: .GET, version: version))
        machine.receive(.end)
        _ = self.next(&machine)
        _ = self.letIn(&machine)
        _ = self.next(&machine)
        #expect(self.begins(&machine) == stays)
    }

    @Test func oneHundredContinueIsForABodyThatHasNotCome() {
        for (headers, version, alreadyHere, expected): (HTTPHeaders, HTTPVersion, Bool, Bool) in [
            (["Expect": "100-continue", "Content-Length": "3"], .http1_1, false, true),
            (["Expect": "100-Continue", "Transfer-Encoding": "chunked"], .http1_1, false, true),
            (["Expect": "100-continue", "Content-Length": "3"], .http1_1, true, false),
            (["Expect": "100-continue", "Content-Length": "3"], .http1_0, false, false),
            (["Expect": "100-continue"], .http1_1, false, false),
            (["Content-Length": "3"], .http1_1, false, false),
        ] {
            var machine = self.machine()
            machine.receive(self.head(headers, version: version))
            _ = self.next(&machine)
            #expect(self.letIn(&machine, bodyIsHere: alreadyHere) == expected, "\(headers)")
        }
    }

    @Test(arguments: [("websocket", false), ("h2c, WebSocket", false), ("h2c", true), ("", true)])
    func `A WebSocket that is not granted ends the connection, another protocol does not`(
        name: String, isPersistent: Bool
    ) {
        var machine = self.machine()
        machine.receive(self.head(["Connection": "Upgrade", "Upgrade": name], method: .GET))
        machine.receive(.end)
        _ = self.next(&machine)
        _ = self.letIn(&machine)
        _ = self.next(&machine)
        #expect(self.begins(&machine) == isPersistent)
    }
}
