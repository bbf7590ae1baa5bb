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

    func head(_ headers: HTTPHeaders = [:], method: HTTPMethod = .POST, isHTTP10: Bool = false) -> Machine.Input {
        let framing: BodyFraming =
            headers.contains(name: "transfer-encoding")
            ? .chunked : headers.first(name: "content-length").flatMap { Int($0) }.map { .length($0) } ?? .none
        let options = headers["connection"].reduce(into: ConnectionOptions()) {
            $0.formUnion(ConnectionOptions(listedIn: $1))
        }
        return .head(
            RequestHead(
                method: method, uri: "/", isHTTP10: isHTTP10, headers: headers, framing: framing, options: options))
    }

    func bytes(_ count: Int) -> Machine.Input { .body(ByteBuffer(repeating: 0x61, count: count)) }

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

    func receive(_ machine: inout Machine, _ input: Machine.Input) -> String {
        self.name(machine.receive(input, now: self.start))
    }

    func begins(_ machine: inout Machine) -> Bool { machine.answerBegins(closing: false) }
    func accept(_ machine: inout Machine, bodyIsHere: Bool = false) -> Bool {
        machine.accepted(now: self.start, bodyIsHere: bodyIsHere)
    }
    func ended(_ machine: inout Machine) -> String { self.name(machine.answerEnded(now: self.start)) }
    func late(_ machine: inout Machine) -> String { self.name(machine.deadlinePassed()) }
    func quiesce(_ machine: inout Machine) -> String { self.name(machine.quiesce()) }
    func discard(_ machine: inout Machine, _ count: Int) -> String { self.name(machine.inputDiscarded(count)) }

    /// Takes a machine through a request without a body, up to its handler.
    func execute(_ machine: inout Machine, _ headers: HTTPHeaders = [:], isHTTP10: Bool = false) {
        #expect(self.receive(&machine, self.head(headers, method: .GET, isHTTP10: isHTTP10)) == "admit")
        _ = self.accept(&machine)
        #expect(self.receive(&machine, .end) == "execute")
    }

    @Test func `A request goes through its turn and the connection is idle again`() {
        var machine = self.machine()
        #expect(self.receive(&machine, self.head(["Content-Length": "3"])) == "admit")
        #expect(!machine.wantsInput(writable: true))
        #expect(self.accept(&machine) == false)
        #expect(self.receive(&machine, self.bytes(3)) == "collect 3")
        #expect(self.receive(&machine, .end) == "execute")
        #expect(machine.deadline == nil)
        #expect(self.begins(&machine))
        #expect(self.ended(&machine) == "nothing")
        #expect(machine.isIdle)
        #expect(machine.deadline == self.start + .seconds(75))
    }

    @Test func `No request is decoded while the client accepts no responses`() {
        let machine = self.machine()
        #expect(!machine.wantsInput(writable: false))
        #expect(machine.wantsInput(writable: true))
    }

    @Test(arguments: [
        // The length of the body, the `Expect` header, whether the connection stays open.
        ("100", nil, true), ("101", nil, false), ("100", "100-continue", false), ("0", "100-continue", true),
        ("100", "miracles", false),
    ])
    func `A connection stays open after an early response only if the rest is small`(
        length: String, expects: String?, stays: Bool
    ) {
        var machine = self.machine()
        var headers: HTTPHeaders = ["Content-Length": length]
        if let expects { headers.add(name: "Expect", value: expects) }
        _ = self.receive(&machine, self.head(headers))
        machine.refused(closing: false)
        #expect(self.begins(&machine) == stays)
        #expect(self.ended(&machine) == (stays ? "nothing" : "halfClose"))
    }

    @Test func `A chunked body that is rejected closes the connection, unless its end is known`() {
        for endIsKnown in [false, true] {
            var machine = self.machine()
            _ = self.receive(&machine, self.head(["Transfer-Encoding": "chunked"]))
            _ = self.accept(&machine)
            #expect(self.receive(&machine, self.bytes(5_000)) == "collect 5000")
            if endIsKnown { #expect(self.receive(&machine, .end) == "execute") }
            machine.refused(closing: false)
            #expect(self.begins(&machine) == endIsKnown)
        }
    }

    @Test func `The rest of a rejected body is discarded before the next request`() {
        var machine = self.machine()
        _ = self.receive(&machine, self.head(["Content-Length": "50"]))
        machine.refused(closing: false)
        #expect(self.begins(&machine))
        _ = self.ended(&machine)
        #expect(self.receive(&machine, self.bytes(50)) == "nothing")
        #expect(machine.deadline == self.start + .seconds(5))
        #expect(self.receive(&machine, .end) == "nothing")
        #expect(machine.isIdle)
        #expect(self.receive(&machine, self.head(method: .GET)) == "admit")
    }

    @Test func `A rest that is longer than announced ends in a lingering close`() {
        var machine = self.machine()
        _ = self.receive(&machine, self.head(["Content-Length": "50"]))
        machine.refused(closing: false)
        _ = self.begins(&machine)
        _ = self.ended(&machine)
        #expect(self.receive(&machine, self.bytes(101)) == "halfClose")
    }

    @Test func `The last response is followed by a bounded lingering close`() {
        var machine = self.machine()
        _ = self.receive(&machine, self.head(["Content-Length": "5000"]))
        machine.refused(closing: false)
        _ = self.begins(&machine)
        #expect(self.ended(&machine) == "halfClose")
        #expect(machine.mayRead)
        #expect(machine.discardsInput)
        #expect(self.discard(&machine, 1_000) == "nothing")
        #expect(self.discard(&machine, 1) == "close")
    }

    @Test func `The lingering close ends with the client's input and with time`() {
        for byTime in [true, false] {
            var machine = self.machine()
            self.execute(&machine, ["Connection": "close"])
            #expect(!self.begins(&machine))
            #expect(self.ended(&machine) == "halfClose")
            if byTime {
                #expect(machine.deadline == self.start + .seconds(5))
                #expect(self.late(&machine) == "close")
            } else {
                #expect(self.receive(&machine, .inputClosed) == "close")
            }
        }
    }

    @Test func `The first head's deadline runs from the start, and later ones from their first byte`() {
        var machine = self.machine()
        #expect(machine.deadline == self.start + .seconds(10))
        machine.inputArrived(now: self.start + .seconds(9))
        #expect(machine.deadline == self.start + .seconds(10))
        self.execute(&machine)
        _ = self.begins(&machine)
        _ = self.ended(&machine)
        machine.inputArrived(now: self.start + .seconds(30))
        #expect(machine.deadline == self.start + .seconds(40))
        machine.inputArrived(now: self.start + .seconds(39))
        #expect(machine.deadline == self.start + .seconds(40))
        #expect(self.late(&machine) == "refuse headTimeout")
    }

    @Test func `An idle connection is closed silently when its client has accepted everything`() {
        var machine = self.machine()
        #expect(self.late(&machine) == "finish")
        #expect(machine.deadline == nil)
        #expect(!machine.wantsInput(writable: true))
        #expect(self.ended(&machine) == "halfClose")
        #expect(machine.deadline == self.start + .seconds(5))
    }

    @Test func `A failure behind a request is answered after it`() {
        var machine = self.machine()
        self.execute(&machine)
        #expect(!machine.wantsInput(writable: true))
        #expect(self.begins(&machine))
        _ = self.ended(&machine)
        #expect(self.receive(&machine, .failure(.malformed("x"))) == "refuse malformed(\"x\")")
        #expect(!self.begins(&machine))
        #expect(self.ended(&machine) == "halfClose")
    }

    @Test func `A failure in a body that is already rejected closes the connection`() {
        var machine = self.machine()
        _ = self.receive(&machine, self.head(["Transfer-Encoding": "chunked"]))
        machine.refused(closing: false)
        #expect(machine.wantsInput(writable: true))
        #expect(self.receive(&machine, .failure(.malformed("x"))) == "nothing")
        #expect(!machine.wantsInput(writable: true))
        #expect(!self.begins(&machine))
    }

    @Test func `A client that stops sending still gets its responses`() {
        var machine = self.machine()
        self.execute(&machine)
        _ = self.begins(&machine)
        _ = self.ended(&machine)
        #expect(self.receive(&machine, .inputClosed) == "finish")
    }

    @Test func `A request that ends too early is rejected`() {
        var inHead = self.machine()
        inHead.inputArrived(now: self.start)
        var inBody = self.machine()
        _ = self.receive(&inBody, self.head(["Content-Length": "50"]))
        _ = self.accept(&inBody)
        for var machine in [inHead, inBody] {
            #expect(self.receive(&machine, .inputClosed) == "refuse malformed(\"The request ended too early\")")
        }
    }

    @Test func `Quiescing closes an idle connection, and a busy one after its response`() {
        var idle = self.machine()
        #expect(self.quiesce(&idle) == "finish")
        var busy = self.machine()
        self.execute(&busy)
        #expect(self.quiesce(&busy) == "nothing")
        #expect(!self.begins(&busy))
        #expect(self.ended(&busy) == "halfClose")
    }

    @Test func `Quiescing waits for the end of a rejected body`() {
        var machine = self.machine()
        _ = self.receive(&machine, self.head(["Content-Length": "50"]))
        machine.refused(closing: false)
        #expect(self.begins(&machine))
        _ = self.ended(&machine)
        #expect(self.quiesce(&machine) == "nothing")
        _ = self.receive(&machine, self.bytes(50))
        #expect(self.receive(&machine, .end) == "finish")
    }

    @Test func `Nothing is decoded behind a request until it is answered`() {
        var machine = self.machine()
        _ = self.receive(&machine, self.head(["Content-Length": "3"]))
        _ = self.accept(&machine)
        #expect(machine.wantsInput(writable: true))
        _ = self.receive(&machine, self.bytes(3))
        #expect(self.receive(&machine, .end) == "execute")
        #expect(!machine.wantsInput(writable: true))
        _ = self.begins(&machine)
        #expect(!machine.wantsInput(writable: true))
        _ = self.ended(&machine)
        #expect(machine.wantsInput(writable: true))
    }

    @Test(arguments: [
        ("close, keep-alive", true, false), ("keep-alive, close", true, false), ("Keep-Alive", true, true),
        ("close", false, false), ("x, close", false, false), ("keep-alive", false, true), ("x", true, false),
    ])
    func `A connection persists as its options say, and close has precedence`(
        options: String, isHTTP10: Bool, stays: Bool
    ) {
        var machine = self.machine()
        self.execute(&machine, ["Connection": options], isHTTP10: isHTTP10)
        #expect(self.begins(&machine) == stays)
    }

    @Test func `100 Continue is sent while no byte of the body has arrived`() {
        for (headers, isHTTP10, alreadyHere, expected): (HTTPHeaders, Bool, Bool, Bool) in [
            (["Expect": "100-continue", "Content-Length": "3"], false, false, true),
            (["Expect": "100-Continue", "Transfer-Encoding": "chunked"], false, false, true),
            (["Expect": "100-continue", "Content-Length": "3"], false, true, false),
            (["Expect": "100-continue", "Content-Length": "3"], true, false, false),
            (["Expect": "100-continue"], false, false, false),
            (["Content-Length": "3"], false, false, false),
        ] {
            var machine = self.machine()
            _ = self.receive(&machine, self.head(headers, isHTTP10: isHTTP10))
            #expect(self.accept(&machine, bodyIsHere: alreadyHere) == expected, "\(headers)")
        }
    }

    @Test(arguments: [("websocket", false), ("h2c, WebSocket", false), ("h2c", true), ("", true)])
    func `A WebSocket that is not granted ends the connection, another protocol does not`(
        name: String, isPersistent: Bool
    ) {
        var machine = self.machine()
        self.execute(&machine, ["Connection": "Upgrade", "Upgrade": name])
        #expect(self.begins(&machine) == isPersistent)
    }
}
