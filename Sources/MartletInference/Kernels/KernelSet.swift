import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

/// The kernels of the blocked layout, built for one instruction set.
///
/// Each is documented where it is written, in `MartletKernelsBaseline/Blocked`. Call them through the methods of the
/// same names, which have the kernels' argument labels.
struct KernelSet: Sendable {
    /// What the kernels are built for.
    let instructionSet: InstructionSet
    /// Channels of a block, c: as many floats as a register holds.
    let lanes: Int
    /// A direct convolution of one or two blocks of output channels.
    let convolveRows:
        @Sendable (
            _ input: UnsafePointer<Float>, _ inputRowStep: Int, _ inputColumnStep: Int, _ offsets: UnsafePointer<Int>,
            _ offsetCount: Int, _ lanes: Int, _ wholeCount: Int, _ lastLanes: Int, _ weights: UnsafePointer<Float>,
            _ vectors: Int, _ bias: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ residualRowStep: Int,
            _ residualBlockStep: Int, _ output: UnsafeMutablePointer<Float>, _ outputRowStep: Int,
            _ outputBlockStep: Int, _ rows: Int, _ columns: Int, _ minimum: Float, _ maximum: Float
        ) -> Void
    /// A depthwise convolution of one block of channels.
    let depthwiseRows:
        @Sendable (
            _ input: UnsafePointer<Float>, _ inputRowStep: Int, _ inputColumnStep: Int, _ offsets: UnsafePointer<Int>,
            _ offsetCount: Int, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
            _ residual: UnsafePointer<Float>?, _ residualRowStep: Int, _ output: UnsafeMutablePointer<Float>,
            _ outputRowStep: Int, _ rows: Int, _ columns: Int, _ minimum: Float, _ maximum: Float
        ) -> Void
    /// The sum of two blocks, clamped.
    let addRows:
        @Sendable (
            _ a: UnsafePointer<Float>, _ aRowStep: Int, _ b: UnsafePointer<Float>, _ bRowStep: Int,
            _ output: UnsafeMutablePointer<Float>, _ outputRowStep: Int, _ rows: Int, _ columns: Int, _ minimum: Float,
            _ maximum: Float
        ) -> Void
    /// Zero around the pixels of a plane.
    let fillBorder:
        @Sendable (
            _ plane: UnsafeMutablePointer<Float>, _ pixelStep: Int, _ rows: Int, _ columns: Int, _ top: Int,
            _ left: Int, _ bottom: Int, _ right: Int
        ) -> Void
    /// Planes to blocks.
    let planarToBlocked:
        @Sendable (
            _ input: UnsafePointer<Float>, _ inputChannelStep: Int, _ inputRowStep: Int,
            _ output: UnsafeMutablePointer<Float>, _ outputBlockStep: Int, _ outputRowStep: Int, _ pixelStep: Int,
            _ channels: Int, _ rows: Int, _ columns: Int
        ) -> Void
    /// Blocks to planes.
    let blockedToPlanar:
        @Sendable (
            _ input: UnsafePointer<Float>, _ inputBlockStep: Int, _ inputRowStep: Int, _ pixelStep: Int,
            _ output: UnsafeMutablePointer<Float>, _ outputChannelStep: Int, _ outputRowStep: Int, _ channels: Int,
            _ rows: Int, _ columns: Int
        ) -> Void

    /// The kernels for `instructionSet`, which must be supported before any of them is called.
    init(_ instructionSet: InstructionSet) {
        self.instructionSet = instructionSet
        switch instructionSet {
        case .baseline:
            lanes = MartletKernelsBaseline.vectorLanes()
            convolveRows = MartletKernelsBaseline.convolveRows
            depthwiseRows = MartletKernelsBaseline.depthwiseRows
            addRows = MartletKernelsBaseline.addRows
            fillBorder = MartletKernelsBaseline.fillBorder
            planarToBlocked = MartletKernelsBaseline.planarToBlocked
            blockedToPlanar = MartletKernelsBaseline.blockedToPlanar
        case .avx2:
            lanes = MartletKernelsAVX2.vectorLanes()
            convolveRows = MartletKernelsAVX2.convolveRows
            depthwiseRows = MartletKernelsAVX2.depthwiseRows
            addRows = MartletKernelsAVX2.addRows
            fillBorder = MartletKernelsAVX2.fillBorder
            planarToBlocked = MartletKernelsAVX2.planarToBlocked
            blockedToPlanar = MartletKernelsAVX2.blockedToPlanar
        case .avx512, .avx512VNNI:
            lanes = MartletKernelsAVX512.vectorLanes()
            convolveRows = MartletKernelsAVX512.convolveRows
            depthwiseRows = MartletKernelsAVX512.depthwiseRows
            addRows = MartletKernelsAVX512.addRows
            fillBorder = MartletKernelsAVX512.fillBorder
            planarToBlocked = MartletKernelsAVX512.planarToBlocked
            blockedToPlanar = MartletKernelsAVX512.blockedToPlanar
        }
    }

    /// The kernels for the instruction set that ``InstructionSet/chosen(by:)`` names, decided once for the process.
    static func best() throws(InstructionSetError) -> KernelSet { try decided.get() }

    private static let decided = Result { () throws(InstructionSetError) in KernelSet(try InstructionSet.chosen()) }
}
