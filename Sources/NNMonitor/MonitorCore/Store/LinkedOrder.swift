/// A doubly linked list of small non-negative numbers, each in it at most once. Every operation takes constant time.
struct LinkedOrder {
    /// The neighbours of a number; `none` at the ends, and for a number that is not in the list.
    private struct Links {
        var previous = LinkedOrder.none
        var next = LinkedOrder.none
    }

    private static let none: Int32 = -1

    private var links: [Links] = []
    private var head = LinkedOrder.none
    private var tail = LinkedOrder.none

    /// The first number.
    var first: Int? { head == Self.none ? nil : Int(head) }

    /// The last number.
    var last: Int? { tail == Self.none ? nil : Int(tail) }

    /// The number before `number`, which must be in the list.
    func previous(before number: Int) -> Int? {
        links[number].previous == Self.none ? nil : Int(links[number].previous)
    }

    /// The number after `number`, which must be in the list.
    func next(after number: Int) -> Int? { links[number].next == Self.none ? nil : Int(links[number].next) }

    /// Appends a number that is not in the list.
    mutating func append(_ number: Int) {
        while links.count <= number { links.append(Links()) }
        links[number] = Links(previous: tail)
        if tail == Self.none { head = Int32(number) } else { links[Int(tail)].next = Int32(number) }
        tail = Int32(number)
    }

    /// Removes a number that is in the list.
    mutating func remove(_ number: Int) {
        let own = links[number]
        if own.previous == Self.none { head = own.next } else { links[Int(own.previous)].next = own.next }
        if own.next == Self.none { tail = own.previous } else { links[Int(own.next)].previous = own.previous }
        links[number] = Links()
    }
}
