import MartletInference
import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

/// The kernels of ``WinogradWeightGradient``, built for one instruction set; see `WinogradGradient.swift`, `WinogradInput.swift`,
/// `MomentProducts.swift` and `Layouts.swift` of the kernels.
struct WinogradGradientKernels: Sendable {
    typealias Source = UnsafePointer<Float>
    typealias Target = UnsafeMutablePointer<Float>

    /// Channels of a block.
    let lanes: Int
    let fillBorder: @Sendable (Target, Int, Int, Int, Int, Int, Int, Int) -> Void
    let planarToBlocked: @Sendable (Source, Int, Int, Target, Int, Int, Int, Int, Int, Int) -> Void
    let winogradInput: @Sendable (Int, Source, Int, Int, Int, Int, Int, Target, Int) -> Void
    let winogradGradient: @Sendable (Source, Int, Int, Int, Target, Int) -> Void
    let blockProducts: @Sendable (Source, Source, Source?, Int, Target, Target, Int) -> Void
    let winogradKernelGradient: @Sendable (Source, Int, Int, Int, Target, Int, Bool, Target) -> Void

    /// The kernels for `instructionSet`, which must be supported before any of them is called.
    init(_ instructionSet: InstructionSet) {
        switch instructionSet {
        case .baseline:
            lanes = MartletKernelsBaseline.vectorLanes()
            fillBorder = MartletKernelsBaseline.fillBorder
            planarToBlocked = MartletKernelsBaseline.planarToBlocked
            winogradInput = MartletKernelsBaseline.winogradInput
            winogradGradient = MartletKernelsBaseline.winogradGradient
            blockProducts = MartletKernelsBaseline.blockProducts
            winogradKernelGradient = MartletKernelsBaseline.winogradKernelGradient
        case .avx2:
            lanes = MartletKernelsAVX2.vectorLanes()
            fillBorder = MartletKernelsAVX2.fillBorder
            planarToBlocked = MartletKernelsAVX2.planarToBlocked
            winogradInput = MartletKernelsAVX2.winogradInput
            winogradGradient = MartletKernelsAVX2.winogradGradient
            blockProducts = MartletKernelsAVX2.blockProducts
            winogradKernelGradient = MartletKernelsAVX2.winogradKernelGradient
        case .avx512, .avx512VNNI:
            lanes = MartletKernelsAVX512.vectorLanes()
            fillBorder = MartletKernelsAVX512.fillBorder
            planarToBlocked = MartletKernelsAVX512.planarToBlocked
            winogradInput = MartletKernelsAVX512.winogradInput
            winogradGradient = MartletKernelsAVX512.winogradGradient
            blockProducts = MartletKernelsAVX512.blockProducts
            winogradKernelGradient = MartletKernelsAVX512.winogradKernelGradient
        }
    }
}
