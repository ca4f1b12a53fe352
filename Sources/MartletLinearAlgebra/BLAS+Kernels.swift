import CMartletIntrinsics
import CMartletOpenBLAS
import Foundation

extension BLAS {
    /// The processor whose kernels OpenBLAS uses, in its own words: `SkylakeX`, `Haswell`, `Prescott`.
    public static var kernels: String { openblas_get_corename().map { String(cString: $0) } ?? "" }

    /// Has OpenBLAS choose its kernels again where it did not know the processor.
    ///
    /// A build for many processors knows those that were sold when it was made. On a newer one it falls back on kernels of
    /// 2004, which have no AVX: a product of large matrices then takes ten times as long (OpenBLAS 0.3.21 of Debian 12 on an
    /// Intel Emerald Rapids). Does nothing where `OPENBLAS_CORETYPE` is set, where the processor was known, or where the build
    /// has one set of kernels.
    ///
    /// To be called before any thread of the process uses OpenBLAS, as `martlet` does when it starts.
    public static func adoptProcessor() {
        let better = kernels(
            insteadOf: kernels, isToldWhich: ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] != nil,
            hasAVX2: martlet_supports_x86_64_v3(), hasAVX512: martlet_supports_x86_64_v4())
        if let better { _ = martlet_take_blas_kernels(better) }
    }

    /// The kernels that suit a processor better than those chosen, `nil` if none do.
    static func kernels(insteadOf chosen: String, isToldWhich: Bool, hasAVX2: Bool, hasAVX512: Bool) -> String? {
        guard !isToldWhich, chosen == "Prescott", hasAVX2 else { return nil }
        return hasAVX512 ? "SkylakeX" : "Haswell"
    }
}
