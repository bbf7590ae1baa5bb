/// An order of small numbers, each in it at most once. Every change takes the same time, however long it is.
struct LinkedOrder {
    /// The neighbours of a number; `none` at the ends, and for a number that is not in the order.
    private struct Links {
        var before = LinkedOrder.none
        var after = LinkedOrder.none
    }

    private static let none: Int32 = -1

    private var links: [Links] = []
    private var head = LinkedOrder.none
    private var tail = LinkedOrder.none

    /// The number that comes first.
    var first: Int? { head == Self.none ? nil : Int(head) }

    /// The number that comes after `number`, which must be in the order.
    func next(after number: Int) -> Int? { links[number].after == Self.none ? nil : Int(links[number].after) }

    /// Puts a number at the end that is not in the order.
    mutating func append(_ number: Int) {
        while links.count <= number { links.append(Links()) }
        links[number] = Links(before: tail)
        if tail == Self.none { head = Int32(number) } else { links[Int(tail)].after = Int32(number) }
        tail = Int32(number)
    }

    /// Takes out a number that is in the order.
    mutating func remove(_ number: Int) {
        let own = links[number]
        if own.before == Self.none { head = own.after } else { links[Int(own.before)].after = own.after }
        if own.after == Self.none { tail = own.before } else { links[Int(own.after)].before = own.before }
        links[number] = Links()
    }
}
