import Foundation
import Testing

@testable import Health

@Suite struct LogarithmTests {
    @Test func logarithmsAgreeWithTheLibrary() {
        var random = SeededNumbers(seed: 1)
        var numbers = [
            Double.leastNonzeroMagnitude, .leastNormalMagnitude, .leastNormalMagnitude.nextDown,
            .greatestFiniteMagnitude,
            1, 1.0.nextUp, 1.0.nextDown, 0.5.squareRoot(), 2.0.squareRoot(), 2, 0.5, 1e-300, 1e300,
        ]
        for _ in 0..<100_000 {
            let number = Double(bitPattern: UInt64.random(in: 1..<Double.infinity.bitPattern, using: &random))
            numbers.append(number)
            numbers.append(Double.random(in: 0.9...1.1, using: &random))
        }
        var results = Array(repeating: 0.0, count: numbers.count)
        var span = results.mutableSpan
        Logarithm.write(of: numbers.span, to: &span)
        for (number, result) in zip(numbers, results) {
            let expected = log(number)
            #expect(abs(result - expected) <= 1e-15 * abs(expected), "\(number): \(result), not \(expected)")
        }
    }

    @Test func othersThanPositiveFiniteNumbersAreNoTrouble() {
        let numbers = [0, -0.0, -1, .infinity, -.infinity, .nan, 2]
        var results = Array(repeating: 0.0, count: numbers.count)
        var span = results.mutableSpan
        Logarithm.write(of: numbers.span, to: &span)
        #expect(abs((results.last ?? 0) - log(2)) < 1e-15)
    }
}
