import Foundation
import MonitorCore

/// Decodes one payload over and over and prints the nanoseconds of one decoding.
///
///     DecodeBench PAYLOAD SECONDS
@main
enum DecodeBench {
    static func main() throws {
        guard CommandLine.arguments.count == 3, let seconds = Double(CommandLine.arguments[2]) else {
            FileHandle.standardError.write(Data("usage: DecodeBench PAYLOAD SECONDS\n".utf8))
            exit(64)
        }
        let payload = [UInt8](try Data(contentsOf: URL(fileURLWithPath: CommandLine.arguments[1])))
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
}
