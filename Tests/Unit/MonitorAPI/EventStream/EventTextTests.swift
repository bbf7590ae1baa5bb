import Compression
import MonitorCore
import NIOCore
import Testing

@testable import MonitorAPI

/// The text of Server-Sent Events.
@Suite struct EventTextTests {
    private func text(_ buffer: ByteBuffer) -> String { String(buffer: buffer) }

    @Test func `an event has its id before its data and an empty line after it`() {
        let json = Array(#"{"a":"\n","b":"é\u2028"}"#.utf8)
        #expect(text(EventText.event(json, id: 7)) == "id: 7\ndata: {\"a\":\"\\n\",\"b\":\"é\\u2028\"}\n\n")
        #expect(text(EventText.event(json, id: nil)) == "data: {\"a\":\"\\n\",\"b\":\"é\\u2028\"}\n\n")
        #expect(text(EventText.event([], id: .max)) == "id: 18446744073709551615\ndata: \n\n")
    }

    @Test func `an id alone and a comment are no events`() {
        #expect(text(EventText.id(0)) == "id: 0\n\n")
        #expect(text(EventText.keepAlive) == ":\n\n")
    }

    @Test func `only the variant for one run has ids`() {
        let renderer = WireFrameRenderer()
        let json = Array("{}".utf8)
        for (hasIDs, expected) in [(true, "id: 3\ndata: {}\n\n"), (false, "data: {}\n\n")] {
            let frame = renderer.render(json, seq: 3, variant: .events(hasIDs: hasIDs, isCompressed: false))
            #expect(text(frame.bytes) == expected)
            #expect(frame.seq == 3 && frame.piece == nil)
        }
        let other = renderer.render(json, seq: nil, variant: .events(hasIDs: true, isCompressed: false))
        #expect(text(other.bytes) == "data: {}\n\n")
        let compressed = renderer.render(json, seq: 3, variant: .events(hasIDs: true, isCompressed: true))
        #expect(compressed.piece?.bytes == compressed.bytes)
    }
}
