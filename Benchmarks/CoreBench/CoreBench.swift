import Foundation
import Foundations
import Health
import MonitorCore

/// Repeats one operation of MonitorCore on one payload.
///
///     CoreBench decode PAYLOAD SECONDS                       prints nanoseconds per decoding
///     CoreBench decode|encode|lite PAYLOAD times COUNT       runs COUNT times, for tools that count
///     CoreBench open PAYLOAD times COUNT                     decodes a step of the open wire that follows others
///     CoreBench record|judge LINES times COUNT               makes steps of lines in turn, and judges them or not
///     CoreBench series STEPS LAYERS KEPT                     stores a run and reads series of it: see SeriesBench
///     CoreBench numbers|describe PAYLOAD times COUNT         formats the numbers: the encoder, the library
@main
enum CoreBench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "series", arguments.count == 4, let steps = Int(arguments[2]),
            let layers = Int(arguments[3]),
            let kept = Int(arguments[4])
        {
            return try await SeriesBench.run(steps: steps, layers: layers, kept: kept)
        }
        guard arguments.count >= 3, let work = Work(rawValue: arguments[1]) else { usage() }
        let payload = [UInt8](try Data(contentsOf: URL(fileURLWithPath: arguments[2])))
        if arguments.count == 4, arguments[3] == "times", let count = Int(arguments[4]) {
            try repeated(work, payload, times: count)
        } else if work == .decode, arguments.count == 3, let seconds = Double(arguments[3]) {
            print(try nanoseconds(ofDecoding: payload, within: .seconds(seconds)))
        } else {
            usage()
        }
    }

    private enum Work: String { case decode, open, record, judge, encode, lite, numbers, describe }

    private static func openDecoded(_ payload: [UInt8], times count: Int) throws {
        let decoder = OpenStepDecoder()
        var known = KnownTables()
        var warnings = StepWarnings()
        // The text of the layers is kept from the second step on.
        for round in 0..<count + 2 {
            let step = try decoder.decode(payload, runID: "r", known: known, warnings: &warnings).get()
            if round < 2 { known.note(StepRecord(step)) }
        }
    }

    /// Makes steps as a server does, and judges them or not. The lines begin with `{"step":1000000`.
    private static func recorded(_ payload: [UInt8], times count: Int, isJudged: Bool) throws {
        var lines = payload.split(separator: UInt8(ascii: "\n")).map { Array($0) }
        let digits = 8..<15
        let decoder = OpenStepDecoder()
        var known = KnownTables()
        var warnings = StepWarnings()
        var observer: any RunObserver = RunHealthEngine(HealthRulesInUse(HealthRules()))
        let kept = StepSequence()
        for round in 0..<count + 2 {
            let line = round % lines.count
            lines[line].replaceSubrange(digits, with: Array("\(1_000_000 + round)".utf8))
            let step = try decoder.decode(lines[line], runID: "r", known: known, warnings: &warnings).get()
            let record = StepRecord(step, seq: UInt64(round + 1))
            if round < 2 { known.note(record) }
            guard isJudged else { continue }
            _ = observer.observe(record, isBelowKeptSteps: false, kept: kept, context: RunContext())
        }
        guard !isJudged || observer.report(context: RunContext()).reports == count + 2 else { exit(1) }
    }

    private static func repeated(_ work: Work, _ payload: [UInt8], times count: Int) throws {
        guard work != .decode else {
            for _ in 0..<count { _ = try StepDecoder.decode(payload).get() }
            return
        }
        guard work != .open else { return try openDecoded(payload, times: count) }
        if work == .record || work == .judge {
            return try recorded(payload, times: count, isJudged: work == .judge)
        }
        let decoded = try StepDecoder.decode(payload).get()
        let record = StepRecord(decoded)
        var writer = JSONWriter(capacity: payload.count * 2)
        for _ in 0..<count {
            writer.removeAll()
            switch work {
            case .decode, .open, .record, .judge, .encode: StepEncoder.append(record, to: &writer)
            case .lite: StepEncoder.append(record, form: .lite, to: &writer)
            case .numbers: for number in decoded.numbers { writer.double(number) }
            case .describe: for number in decoded.numbers { writer.raw(Array(number.description.utf8)) }
            }
        }
        guard writer.bytes.count > payload.count / 8 else { exit(1) }
    }

    private static func nanoseconds(ofDecoding payload: [UInt8], within time: Duration) throws -> Int {
        let clock = ContinuousClock()
        let end = clock.now + time
        let begin = clock.now
        var count = 0
        var layers = 0
        repeat {
            for _ in 0..<50 { layers += try StepDecoder.decode(payload).get().layout.layerCount }
            count += 50
        } while clock.now < end
        let elapsed = clock.now - begin
        guard layers > 0 else { exit(1) }
        return Int(elapsed / .nanoseconds(1)) / count
    }

    private static func usage() -> Never {
        let text =
            "usage: CoreBench decode PAYLOAD SECONDS, or CoreBench decode|encode|lite|numbers|describe PAYLOAD times COUNT\n"
        FileHandle.standardError.write(Data(text.utf8))
        exit(64)
    }
}
