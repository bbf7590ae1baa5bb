import Foundation
import MonitorCore

/// Decodes one payload over and over and prints the nanoseconds of one decoding; or decodes it so many times and no more,
/// for who counts something else.
///
///     DecodeBench PAYLOAD SECONDS
///     DecodeBench PAYLOAD times COUNT
@main
enum DecodeBench {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else { usage() }
        let payload = [UInt8](try Data(contentsOf: URL(fileURLWithPath: arguments[1])))
        if arguments.count == 4, arguments[2] == "times", let count = Int(arguments[3]) {
            for _ in 0..<count { _ = try StepDecoder.decode(payload).get() }
            return
        }
        guard let seconds = Double(arguments[2]) else { usage() }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        let begin = clock.now
        var count = 0
        var layers = 0
        repeat {
            for _ in 0..<50 { layers += try StepDecoder.decode(payload).get().layout.layerCount }
            count += 50
        } while clock.now < end
        let elapsed = clock.now - begin
        guard layers > 0 else { exit(1) }
        print(Int(elapsed / .nanoseconds(1)) / count)
    }

    private static func usage() -> Never {
        FileHandle.standardError.write(Data("usage: DecodeBench PAYLOAD SECONDS|times COUNT\n".utf8))
        exit(64)
    }
}
