import NIOCore
import Testing

@testable import HTTPService

@Suite struct RateWatchTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000)
    /// 1 000 bytes a second, so 10 000 in each window.
    private let watch = RateWatch(rate: 1_000, window: .seconds(10))

    private func at(_ seconds: Int64) -> NIODeadline { self.start + .seconds(seconds) }

    @Test func `A client that takes less than the rate in a window is too slow when the window ends`() {
        var watch = self.watch
        watch.begin(bytes: 50_000, now: self.at(0))
        #expect(watch.deadline == self.at(10))
        let isEarly = watch.isTooSlow(bytes: 49_000, now: self.at(9))
        #expect(!isEarly)
        #expect(watch.deadline == self.at(10))
        let isTooSlow = watch.isTooSlow(bytes: 40_001, now: self.at(10))
        #expect(isTooSlow)
    }

    @Test func `A client that takes the rate in each window is not too slow, whenever in the window it does`() {
        var watch = self.watch
        watch.begin(bytes: 100_000, now: self.at(0))
        // All at the beginning of a window, then all at its end.
        var isTooSlow = watch.isTooSlow(bytes: 90_000, now: self.at(1))
        isTooSlow = watch.isTooSlow(bytes: 90_000, now: self.at(10)) || isTooSlow
        isTooSlow = watch.isTooSlow(bytes: 80_000, now: self.at(20)) || isTooSlow
        #expect(!isTooSlow)
        #expect(watch.deadline == self.at(30))
    }

    @Test func `A burst does not count for a later window`() {
        var watch = self.watch
        watch.begin(bytes: 1_000_000, now: self.at(0))
        let isTooSlow = watch.isTooSlow(bytes: 100_000, now: self.at(10))
        #expect(!isTooSlow)
        let isLaterTooSlow = watch.isTooSlow(bytes: 95_000, now: self.at(20))
        #expect(isLaterTooSlow)
    }

    @Test func `Only the time in which bytes wait counts, summed over many waits`() {
        var watch = self.watch
        for wait in 0..<4 {
            watch.begin(bytes: 64_000, now: self.at(Int64(wait) * 100))
            watch.end(bytes: 62_000, now: self.at(Int64(wait) * 100 + 2))
            #expect(watch.deadline == nil)
        }
        // Eight seconds have passed in waits, and 8 000 bytes were taken.
        watch.begin(bytes: 64_000, now: self.at(1_000))
        #expect(watch.deadline == self.at(1_002))
        var other = watch
        let isTooSlow = watch.isTooSlow(bytes: 63_000, now: self.at(1_002))
        let isFastTooSlow = other.isTooSlow(bytes: 62_000, now: self.at(1_002))
        #expect(isTooSlow && !isFastTooSlow)
    }

    @Test func `A wait that ends after its window, with too few bytes, is found at the next wait`() {
        var watch = self.watch
        watch.begin(bytes: 64_000, now: self.at(0))
        watch.end(bytes: 60_000, now: self.at(11))
        watch.begin(bytes: 64_000, now: self.at(12))
        let isTooSlow = watch.isTooSlow(bytes: 64_000, now: self.at(12))
        #expect(isTooSlow)
    }

    @Test func `Bytes that are added while others wait are not a negative rate`() {
        var watch = self.watch
        watch.begin(bytes: 20_000, now: self.at(0))
        var isTooSlow = watch.isTooSlow(bytes: 30_000, now: self.at(5))
        isTooSlow = watch.isTooSlow(bytes: 20_000, now: self.at(10)) || isTooSlow
        #expect(!isTooSlow)
    }

    @Test func `Without a minimum no client is too slow`() {
        var watch = RateWatch(rate: 0, window: .seconds(10))
        watch.begin(bytes: 64_000, now: self.at(0))
        #expect(watch.deadline == nil)
        let isTooSlow = watch.isTooSlow(bytes: 64_000, now: self.at(1_000))
        #expect(!isTooSlow)
    }
}
