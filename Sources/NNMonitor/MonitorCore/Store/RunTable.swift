import Foundations

/// The runs by their id, in order of creation and in order of their last change.
///
/// What a change costs does not grow with the number of runs: there may be 100 000, and each new one evicts another.
struct RunTable {
    /// Where a run lies as long as it is held. The places of runs that have gone are taken by later ones.
    typealias Place = Int

    private var places: [RunID: Int32] = [:]
    private var ids: [RunID] = []
    private var runs: [Run] = []
    private var free: [Int32] = []
    private var creation = LinkedOrder()
    private var change = LinkedOrder()

    /// Runs held.
    var count: Int { places.count }

    /// Where a run lies; `nil` when it is not held.
    func place(of id: RunID) -> Place? { places[id].map(Int.init) }

    /// A run; `nil` when it is not held.
    subscript(id: RunID) -> Run? { places[id].map { runs[Int($0)] } }

    /// Adds a run that is not held, as the last one in both orders.
    mutating func add(_ run: Run, id: RunID) -> Place {
        let place: Place
        if let left = free.popLast() {
            place = Int(left)
            ids[place] = id
            runs[place] = run
        } else {
            place = runs.count
            ids.append(id)
            runs.append(run)
        }
        places[id] = Int32(place)
        creation.append(place)
        change.append(place)
        return place
    }

    /// Changes a run, which is then the last one in the order of changes.
    mutating func update<Result>(_ place: Place, _ body: (inout Run) -> Result) -> Result {
        change.remove(place)
        change.append(place)
        return body(&runs[place])
    }

    /// Takes a run out; `nil` when it is not held.
    mutating func remove(_ id: RunID) -> Run? {
        guard let place = places.removeValue(forKey: id).map(Int.init) else { return nil }
        let run = runs[place]
        creation.remove(place)
        change.remove(place)
        ids[place] = ""
        runs[place] = Run(createdAt: run.createdAt)
        free.append(Int32(place))
        return run
    }

    /// Takes out the run whose last change is the longest ago; `nil` when there is none.
    mutating func removeOldest() -> (id: RunID, run: Run)? {
        guard let id = change.first.map({ ids[$0] }), let run = remove(id) else { return nil }
        return (id, run)
    }

    /// Bytes that a run takes beside its steps: its place in the tables, the id, and the beginnings of its lists.
    static func memory(of id: RunID) -> Int { 512 + id.byteCount }

    /// Makes a list of all runs, in order of creation.
    func compactMap<Element>(_ transform: (RunID, Run) -> Element?) -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(count)
        var place = creation.first
        while let current = place {
            if let element = transform(ids[current], runs[current]) { elements.append(element) }
            place = creation.next(after: current)
        }
        return elements
    }
}
