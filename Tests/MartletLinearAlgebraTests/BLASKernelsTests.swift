import CMartletIntrinsics
import Foundation
import Testing

@testable import MartletLinearAlgebra

@Suite struct BLASKernelsTests {
    /// Whatever OpenBLAS knows of this processor: with AVX2, kernels that use it.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil))
    func kernelsAreThoseOfTheProcessor() {
        #expect(!BLAS.kernels.isEmpty)
        if martlet_supports_x86_64_v3() { #expect(BLAS.kernels != "Prescott") }
    }
}
