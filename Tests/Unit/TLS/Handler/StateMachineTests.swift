import Testing

@testable import TLS

@Suite struct StateMachineTests {
    private func open() -> TLSHandler.StateMachine {
        var machine = TLSHandler.StateMachine()
        _ = machine.start()
        _ = machine.received(firstByte: 22)
        _ = machine.handshakeCompleted()
        return machine
    }

    @Test func `The first byte of a connection decides between TLS and plaintext`() {
        var machine = TLSHandler.StateMachine()
        #expect(machine.received(firstByte: 22) == .discard)
        #expect(machine.start() == true)
        #expect(machine.start() == false)
        #expect(machine.received(firstByte: nil) == .discard)
        #expect(machine.received(firstByte: 22) == .handshake)
        #expect(machine.received(firstByte: UInt8(ascii: "G")) == .handshake)
        #expect(machine.handshakeCompleted() == true)
        #expect(machine.handshakeCompleted() == false)
        #expect(machine.received(firstByte: UInt8(ascii: "G")) == .decrypt)

        var plain = TLSHandler.StateMachine()
        _ = plain.start()
        #expect(plain.received(firstByte: UInt8(ascii: "P")) == .answerPlaintext)
        #expect(plain.received(firstByte: UInt8(ascii: "O")) == .discard)
        #expect(plain.close(hasFlushedWrites: false) == .wait)
    }

    @Test func `The handshake timeout applies only during the handshake`() {
        var machine = TLSHandler.StateMachine()
        #expect(machine.deadlinePassed() == false)
        _ = machine.start()
        #expect(machine.deadlinePassed() == true)
        #expect(machine.deadlinePassed() == false)
        var opened = open()
        #expect(opened.deadlinePassed() == false)
    }

    @Test func `The two directions end independently`() {
        var machine = open()
        #expect(machine.closeNotifyReceived(halfClosure: true) == .fireInputClosed)
        #expect(machine.closeNotifyReceived(halfClosure: true) == .none)
        #expect(machine.canEncrypt)
        #expect(machine.transportInputEnded() == .none)
        #expect(machine.closeOutput(hasFlushedWrites: true) == .drain)
        #expect(!machine.acceptsWrites)
        #expect(machine.canEncrypt)
        #expect(machine.drained() == true)
        #expect(machine.drained() == false)
        #expect(!machine.canEncrypt)
        #expect(machine.closeOutput(hasFlushedWrites: false) == .alreadyClosed)
    }

    @Test func `After our close_notify, the peer's closes the channel`() {
        var machine = open()
        #expect(machine.closeOutput(hasFlushedWrites: false) == .sendCloseNotify)
        #expect(machine.closeNotifySent() == .shutOutput)
        #expect(machine.closeNotifySent() == .none)
        #expect(machine.received(firstByte: 23) == .decrypt)
        #expect(machine.closeNotifyReceived(halfClosure: true) == .close)
        #expect(machine.state == .closed)
    }

    @Test func `While our close_notify is being sent, no event closes the channel`() {
        for end in 0..<3 {
            var machine = open()
            #expect(machine.closeOutput(hasFlushedWrites: false) == .sendCloseNotify)
            switch end {
            case 0: #expect(machine.closeNotifyReceived(halfClosure: true) == .awaitOurs)
            case 1: #expect(machine.transportInputEnded() == .none)
            default: #expect(machine.close(hasFlushedWrites: false) == .closeWhenSent)
            }
            #expect(machine.state != .closed)
            #expect(machine.closeNotifySent() == .close)
            #expect(machine.state == .closed)
        }
    }

    @Test func `The action at the end of TCP depends on the state`() {
        var fresh = TLSHandler.StateMachine()
        _ = fresh.start()
        #expect(fresh.transportInputEnded() == .close)

        var begun = TLSHandler.StateMachine()
        _ = begun.start()
        _ = begun.received(firstByte: 22)
        #expect(begun.transportInputEnded() == .fail(.handshakeInterrupted))

        var opened = open()
        #expect(opened.channelEnded() == .fail(.truncated))
        #expect(opened.channelEnded() == .none)

        var half = open()
        #expect(half.transportInputEnded() == .fireInputClosed)
        #expect(half.transportInputEnded() == .none)
        #expect(half.canEncrypt)
        #expect(half.channelEnded() == .none)
    }

    @Test func `A close that loses writes sends no close_notify`() {
        var losing = open()
        #expect(losing.close(hasFlushedWrites: true) == .closeNow)
        var orderly = open()
        #expect(orderly.close(hasFlushedWrites: false) == .closeNotifyThenClose)
        #expect(orderly.close(hasFlushedWrites: false) == .closeNow)
    }

    @Test func `A failed connection ignores later failures`() {
        var machine = open()
        #expect(machine.failed() == true)
        #expect(machine.failed() == false)
        #expect(machine.received(firstByte: 23) == .discard)
        #expect(machine.transportInputEnded() == .close)
    }
}
