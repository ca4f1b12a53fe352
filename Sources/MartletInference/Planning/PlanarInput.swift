/// Where a step finds a value in rows of pixels: in memory of the plan's, or, while the plan runs, in its caller's.
struct PlanarInput {
    private let own: UnsafePointer<Float>
    private let borrowed: BorrowedInput?

    init(_ own: UnsafePointer<Float>, borrowed: BorrowedInput? = nil) {
        self.own = own
        self.borrowed = borrowed
    }

    var base: UnsafePointer<Float> { borrowed?.base?.assumingMemoryBound(to: Float.self) ?? own }
}

/// The caller's tensor in the place of a network's input, which then is not copied.
final class BorrowedInput {
    /// `nil` for the plan's own memory.
    var base: UnsafeRawPointer?
}
