#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The bytes of a text that is read.
///
/// Memory: every access is checked here, so no caller can read outside the text with any index. The pointers are
/// valid because a `TextBytes` and its windows exist only inside the `withUnsafe…` call that provides the text.
@safe struct TextBytes {
    private let base: UnsafePointer<UInt8>
    let count: Int
    /// The number of indices at which a word begins that is inside the text; the same for windows.
    private let words: UInt
    private let windows: UInt

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // The base address of an empty buffer may be nil. The substitute is never dereferenced, because `count` is 0.
        unsafe base = unsafe bytes.baseAddress ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        count = bytes.count
        words = UInt(max(0, bytes.count - 7))
        windows = UInt(max(0, bytes.count - TextWindow.size + 1))
    }

    /// The byte at an index; outside the text 0, which is not valid JSON outside strings.
    @inline(__always)
    subscript(index: Int) -> UInt8 {
        // Compared as unsigned numbers, a negative index is too large.
        unsafe UInt(bitPattern: index) < UInt(bitPattern: count) ? base[index] : 0
    }

    /// Eight bytes as a little-endian word; `nil` if they are not all inside the text.
    @inline(__always)
    func word(at index: Int) -> UInt64? {
        guard UInt(bitPattern: index) < words else { return nil }
        return unsafe UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
    }

    /// The bytes from an index on; `nil` if fewer than `TextWindow.size` follow.
    @inline(__always)
    func window(at index: Int) -> TextWindow? {
        guard UInt(bitPattern: index) < windows else { return nil }
        // `TextWindow.size` bytes from `start` on are inside the text.
        return unsafe TextWindow(start: base + index)
    }

    /// Whether these bytes begin at an index.
    func has(_ bytes: [UInt8], at index: Int) -> Bool {
        guard index >= 0, bytes.count <= count - index else { return false }
        // `bytes.count` bytes from `index` on are inside the text, and the array's pointer is used only in the closure.
        return unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe memcmp(base + index, start, bytes.count) == 0
        }
    }

    /// Whether the bytes of a range, which must be inside the text, equal those of a slice.
    @inline(__always)
    func equals(_ range: Range<Int>, _ bytes: ArraySlice<UInt8>) -> Bool {
        guard range.count == bytes.count, range.upperBound <= count else { return false }
        // Both regions have `range.count` bytes, and the slice's pointer is used only in the closure.
        return unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe memcmp(base + range.lowerBound, start, bytes.count) == 0
        }
    }

    /// Appends the bytes of a range, which must be inside the text.
    @inline(__always)
    func append(_ range: Range<Int>, to bytes: inout [UInt8]) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
    }
}

/// A part of a text, checked as a whole, so that its bytes are read without further checks.
///
/// Memory: an index counts from the start of the window, modulo 64. Eight bytes from any index are then inside `size`.
@safe struct TextWindow {
    /// The number of bytes: 64 indices, and seven bytes after the last to complete its word, rounded up.
    static let size = 72

    private let start: UnsafePointer<UInt8>

    /// - Parameter start: `size` bytes must be readable from there.
    @inline(__always)
    fileprivate init(start: UnsafePointer<UInt8>) { unsafe self.start = unsafe start }

    /// The byte at an index below 64.
    @inline(__always)
    func byte(_ index: Int) -> UInt8 { unsafe start[index & 63] }

    /// Eight bytes from an index below 64, as a little-endian word.
    @inline(__always)
    func word(_ index: Int) -> UInt64 {
        unsafe UInt64(littleEndian: UnsafeRawPointer(start + (index & 63)).loadUnaligned(as: UInt64.self))
    }
}
