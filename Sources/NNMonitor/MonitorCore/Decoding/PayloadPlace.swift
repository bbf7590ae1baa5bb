/// The position of a value in a payload. Cheap to copy; converted to a path only for an error.
struct PayloadPlace {
    /// The object that contains the value.
    let object: PayloadObject
    /// The index of the layer that contains the object; -1 outside layers.
    let layer: Int
    /// The field of the object; -1 for the object itself.
    let field: Int

    @inline(__always)
    init(_ object: PayloadObject, layer: Int = -1, field: Int = -1) {
        self.object = object
        self.layer = layer
        self.field = field
    }
}
