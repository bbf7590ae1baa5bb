import Foundations
import Logging
import NIOCore
import Testing

@testable import HTTPService

@Suite struct FoldedLogTests {
    /// A log handler that collects the lines as text.
    private struct Lines: LogHandler {
        final class Store: Sendable { let lines = Locked<[String]>([]) }
        let store: Store
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            self.store.lines.withLock { $0.append(([event.message.description] + fields).joined(separator: " ")) }
        }
    }

    private final class Clock: Sendable {
        private let value = Locked(NIODeadline.uptimeNanoseconds(0))
        var now: NIODeadline { self.value.withLock { $0 } }
        func advance(_ amount: TimeAmount) { self.value.withLock { $0 = $0 + amount } }
    }

    private let store = Lines.Store()
    private let clock = Clock()

    private func makeLog() -> FoldedLog {
        let (store, clock) = (self.store, self.clock)
        let logger = Logger(label: "test") { _ in Lines(store: store) }
        return FoldedLog(logger: logger, interval: .minutes(1), clock: { clock.now })
    }

    private func advance(_ amount: TimeAmount) { self.clock.advance(amount) }
    private var lines: [String] { self.store.lines.withLock { $0 } }

    @Test func `The first line of a cause is written, the others are counted`() {
        let log = self.makeLog()
        for number in 0..<1_000 { log.note("a", level: .info, "refused") { ["number": "\(number)"] } }
        log.note("b", level: .info, "other") { [:] }
        #expect(self.lines == ["refused number=0", "other"])
        log.writeCounts()
        #expect(self.lines.count == 2)
        self.advance(.minutes(1))
        log.writeCounts()
        log.writeCounts()
        #expect(self.lines.dropFirst(2) == ["refused count=999 number=1 total=1000"])
    }

    @Test func `A continuing cause has one line per minute`() {
        let log = self.makeLog()
        for _ in 0..<600 {
            for _ in 0..<10 { log.note("a", level: .info, "refused") { [:] } }
            self.advance(.seconds(1))
            log.writeCounts()
        }
        #expect(self.lines.count == 1 + 10)
        #expect(self.lines.last == "refused count=600 total=6000")
    }

    @Test func `The end writes what was counted, and a quiet level nothing`() {
        let log = self.makeLog()
        for _ in 0..<3 { log.note("a", level: .info, "refused") { [:] } }
        for _ in 0..<3 { log.note("b", level: .debug, "unseen") { [:] } }
        log.writeCounts(all: true)
        log.writeCounts(all: true)
        #expect(self.lines == ["refused", "refused count=2 total=3"])
    }

    @Test func `More causes than are remembered share one`() {
        let log = self.makeLog()
        for number in 0..<1_000 { log.note("\(number)", level: .info, "refused") { [:] } }
        #expect(self.lines.count == 129)
    }
}
