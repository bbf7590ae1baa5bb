import Foundations
import NIOHTTP1

/// Questions about header fields that are asked of every request, answered without making arrays or strings.
extension HTTPHeaders {
    /// How many fields have a name, which is given in lower case.
    func count(of name: StaticString) -> Int {
        self.reduce(0) { $1.name.isSame(as: name) ? $0 + 1 : $0 }
    }

    /// Whether a field's value is a list, parted by commas, of which one element is `token` (RFC 9110 §5.6.1). Both are given
    /// in lower case.
    func lists(_ token: StaticString, in name: StaticString) -> Bool {
        self.contains { field in
            field.name.isSame(as: name) && field.value.elements.contains { $0.isSame(as: token) }
        }
    }
}

extension String {
    /// The elements of a list that is parted by commas, without the white space around them.
    var elements: ListElements { ListElements(rest: self.utf8[...]) }

    /// Whether this is `text`, in whatever case. `text` is ASCII in lower case.
    func isSame(as text: StaticString) -> Bool { self.utf8.isSame(as: text) }
}

extension Collection<UInt8> {
    /// Whether these are the bytes of `text`, in whatever case. `text` is ASCII in lower case.
    func isSame(as text: StaticString) -> Bool {
        guard self.count == text.utf8CodeUnitCount else { return false }
        // The bytes of a literal are there as long as the program.
        return text.withUTF8Buffer { bytes in
            unsafe self.elementsEqual(bytes) { byte, expected in
                byte == expected || (0x41...0x5a).contains(byte) && byte | 0x20 == expected
            }
        }
    }
}

/// The elements of a list that is parted by commas.
struct ListElements: Sequence, IteratorProtocol {
    /// What has not been looked at; nil behind the last element.
    fileprivate var rest: Substring.UTF8View?

    mutating func next() -> Substring.UTF8View? {
        guard let text = self.rest else { return nil }
        let comma = text.firstIndex(of: UInt8(ascii: ","))
        self.rest = comma.map { text[text.index(after: $0)...] }
        return text[..<(comma ?? text.endIndex)].trimmed
    }
}
