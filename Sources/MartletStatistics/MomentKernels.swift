import MartletInference
import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

/// The kernels that second moments are gathered with, built for one instruction set; see `MomentProducts.swift`,
/// `Fourier.swift` and `Layouts.swift` of the kernels.
struct MomentKernels: Sendable {
    typealias Source = UnsafePointer<Float>
    typealias Target = UnsafeMutablePointer<Float>

    /// Channels of a block.
    let lanes: Int
    let blockProducts: @Sendable (Source, Source, Source?, Int, Target, Target, Int) -> Void
    let spectralProducts: @Sendable (Source, Source, Source?, Int, Int, Int, Target, Target) -> Void
    let addLags: @Sendable (Source, Int, Source, Int, Source, Int, Target, Target) -> Void
    let addLineLags: @Sendable (Source, Int, Source, UnsafePointer<Int>, Int, Target) -> Void
    let addInDouble: @Sendable (Source, Int, UnsafeMutablePointer<Double>, Target, Int, Float) -> Void
    let fillLanes: @Sendable (Source, Int, Int, Int, Int, Int, Int, Target, Int) -> Void
    let addVectors: @Sendable (Source, Int, Int, Int, Target) -> Void
    let fourierTransform: @Sendable (Target, Target, Int, UnsafePointer<Int>, Int, Source) -> Target
    let separateSpectra: @Sendable (Source, Source, Int, Int, Target, Int) -> Void
    let pairSignals: @Sendable (Source, Source?, Int, Int, Target) -> Void
    let scatterNumbers: @Sendable (Source, Int, Target, Int) -> Void
    let copyVectors: @Sendable (Source, Int, Int, Target) -> Void
    let planarToBlocked: @Sendable (Source, Int, Int, Target, Int, Int, Int, Int, Int, Int) -> Void

    /// The kernels for `instructionSet`, which must be supported before any of them is called.
    init(_ instructionSet: InstructionSet) {
        switch instructionSet {
        case .baseline:
            lanes = MartletKernelsBaseline.vectorLanes()
            blockProducts = MartletKernelsBaseline.blockProducts
            spectralProducts = MartletKernelsBaseline.spectralProducts
            addLags = MartletKernelsBaseline.addLags
            addLineLags = MartletKernelsBaseline.addLineLags
            addInDouble = MartletKernelsBaseline.addInDouble
            fillLanes = MartletKernelsBaseline.fillLanes
            addVectors = MartletKernelsBaseline.addVectors
            fourierTransform = MartletKernelsBaseline.fourierTransform
            separateSpectra = MartletKernelsBaseline.separateSpectra
            pairSignals = MartletKernelsBaseline.pairSignals
            scatterNumbers = MartletKernelsBaseline.scatterNumbers
            copyVectors = MartletKernelsBaseline.copyVectors
            planarToBlocked = MartletKernelsBaseline.planarToBlocked
        case .avx2:
            lanes = MartletKernelsAVX2.vectorLanes()
            blockProducts = MartletKernelsAVX2.blockProducts
            spectralProducts = MartletKernelsAVX2.spectralProducts
            addLags = MartletKernelsAVX2.addLags
            addLineLags = MartletKernelsAVX2.addLineLags
            addInDouble = MartletKernelsAVX2.addInDouble
            fillLanes = MartletKernelsAVX2.fillLanes
            addVectors = MartletKernelsAVX2.addVectors
            fourierTransform = MartletKernelsAVX2.fourierTransform
            separateSpectra = MartletKernelsAVX2.separateSpectra
            pairSignals = MartletKernelsAVX2.pairSignals
            scatterNumbers = MartletKernelsAVX2.scatterNumbers
            copyVectors = MartletKernelsAVX2.copyVectors
            planarToBlocked = MartletKernelsAVX2.planarToBlocked
        case .avx512, .avx512VNNI:
            lanes = MartletKernelsAVX512.vectorLanes()
            blockProducts = MartletKernelsAVX512.blockProducts
            spectralProducts = MartletKernelsAVX512.spectralProducts
            addLags = MartletKernelsAVX512.addLags
            addLineLags = MartletKernelsAVX512.addLineLags
            addInDouble = MartletKernelsAVX512.addInDouble
            fillLanes = MartletKernelsAVX512.fillLanes
            addVectors = MartletKernelsAVX512.addVectors
            fourierTransform = MartletKernelsAVX512.fourierTransform
            separateSpectra = MartletKernelsAVX512.separateSpectra
            pairSignals = MartletKernelsAVX512.pairSignals
            scatterNumbers = MartletKernelsAVX512.scatterNumbers
            copyVectors = MartletKernelsAVX512.copyVectors
            planarToBlocked = MartletKernelsAVX512.planarToBlocked
        }
    }
}
