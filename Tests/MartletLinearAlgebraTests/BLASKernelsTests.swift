import Testing

@testable import MartletLinearAlgebra

@Suite struct BLASKernelsTests {
    @Test func oldKernelsAreLeftForThoseOfTheProcessor() {
        #expect(!BLAS.kernels.isEmpty)
        #expect(BLAS.kernels(insteadOf: "Prescott", isToldWhich: false, hasAVX2: true, hasAVX512: true) == "SkylakeX")
        #expect(BLAS.kernels(insteadOf: "Prescott", isToldWhich: false, hasAVX2: true, hasAVX512: false) == "Haswell")
        #expect(BLAS.kernels(insteadOf: "Prescott", isToldWhich: false, hasAVX2: false, hasAVX512: false) == nil)
        #expect(BLAS.kernels(insteadOf: "Prescott", isToldWhich: true, hasAVX2: true, hasAVX512: true) == nil)
        #expect(BLAS.kernels(insteadOf: "Zen", isToldWhich: false, hasAVX2: true, hasAVX512: true) == nil)
    }
}
