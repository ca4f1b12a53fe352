import CMartletOpenBLAS

extension BLAS {
    /// The processor whose kernels OpenBLAS uses, in its own words: `SkylakeX`, `Haswell`, `Prescott`.
    ///
    /// Where OpenBLAS does not know the processor, because it is older, and falls back on `Prescott`, a program that is linked with
    /// Martlet has it take `SkylakeX` or `Haswell` when it is loaded, unless `OPENBLAS_CORETYPE` is set.
    public static var kernels: String { openblas_get_corename().map { String(cString: $0) } ?? "" }
}
