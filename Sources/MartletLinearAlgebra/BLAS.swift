import CMartletOpenBLAS

/// The Basic Linear Algebra Subprograms over pointers, row-major, on the calling thread.
///
/// OpenBLAS does the arithmetic and never starts a thread of its own: the first call tells it so. It may sum an element
/// in another order when a block has another shape, so callers that want the same bits for any number of threads split
/// a product into tiles fixed by the problem's size, never by the number of threads.
///
/// The pointers must be valid for the extents given, and every extent and leading dimension must lie in
/// `0 ... BLAS.maximumExtent`; both are preconditions. Code that takes sizes from a file checks them against
/// ``maximumExtent`` once, when it plans.
public enum BLAS {
    /// The largest extent or leading dimension: what a 32-bit BLAS can count.
    public static let maximumExtent = Int(Int32.max)

    /// Which half of a symmetric or triangular matrix is meant, its diagonal included.
    public enum Triangle: Sendable {
        case lower
        case upper

        var cblas: CBLAS_UPLO { self == .lower ? CblasLower : CblasUpper }
    }

    /// Which side of the product the triangular matrix stands on.
    public enum Side: Sendable {
        case left
        case right

        var cblas: CBLAS_SIDE { self == .left ? CblasLeft : CblasRight }
    }

    private static let singleThreaded: Void = openblas_set_num_threads(1)

    /// Called by every entry point of this room before it enters OpenBLAS.
    @inline(__always)
    static func prepare() { _ = singleThreaded }

    @inline(__always)
    static func cblas(transpose: Bool) -> CBLAS_TRANSPOSE { transpose ? CblasTrans : CblasNoTrans }
}
