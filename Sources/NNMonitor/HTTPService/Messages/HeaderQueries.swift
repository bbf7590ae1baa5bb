import Foundations
import NIOHTTP1

/// Header queries that run for every request; they allocate no arrays or strings.
extension HTTPHeaders {
    /// The number of fields named `name`, which must be in lower case.
    func count(of name: StaticString) -> Int {
        self.reduce(0) { $1.name.isSame(as: name) ? $0 + 1 : $0 }
    }

    /// Whether a field named `name` has the element `token` in its comma-separated list (RFC 9110 section 5.6.1). Both
    /// must be in lower case.
    func lists(_ token: StaticString, in name: StaticString) -> Bool {
        self.contains { field in
            field.name.isSame(as: name) && field.value.elements.contains { $0.isSame(as: token) }
        }
    }
}

extension String {
    /// The elements of a comma-separated list, without surrounding white space.
    var elements: ListElements { ListElements(rest: self.utf8[...]) }

    /// Whether the string equals `text`, ignoring ASCII case. `text` must be ASCII in lower case.
    func isSame(as text: StaticString) -> Bool { self.utf8.isSame(as: text) }
}

extension Collection<UInt8> {
    /// Whether the bytes equal `text`, ignoring ASCII case. `text` must be ASCII in lower case.
    func isSame(as text: StaticString) -> Bool {
        guard self.count == text.utf8CodeUnitCount else { return false }
        // The pointer is valid: the bytes of a `StaticString` live as long as the program.
        return text.withUTF8Buffer { bytes in
            unsafe self.elementsEqual(bytes) { byte, expected in
                byte == expected || (0x41...0x5a).contains(byte) && byte | 0x20 == expected
            }
        }
    }
}

/// An iterator over the elements of a comma-separated list.
struct ListElements: Sequence, IteratorProtocol {
    /// The unread rest of the list; nil after the last element.
    fileprivate var rest: Substring.UTF8View?

    mutating func next() -> Substring.UTF8View? {
        guard let text = self.rest else { return nil }
        let comma = text.firstIndex(of: UInt8(ascii: ","))
        self.rest = comma.map { text[text.index(after: $0)...] }
        return text[..<(comma ?? text.endIndex)].trimmed
    }
}
