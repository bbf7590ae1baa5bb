import Glibc

/// Logarithms and powers, so that few files import the C library.
enum Logarithm {
    /// The natural logarithm of a positive number.
    static func of(_ value: Double) -> Double { log(value) }

    /// A power of ten.
    static func powerOfTen(_ exponent: Double) -> Double { pow(10, exponent) }
}
