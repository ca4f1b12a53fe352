import MartletTensors

/// What an observer is shown of a layer's input.
enum LayerInput {
    /// Rows of pixels, as they are.
    case planes(TensorView)
    /// Blocks of channels, to be copied.
    case blocks(BlockedValue, KernelSet)

    /// The bytes of a copy, if one is made.
    var copiedBytes: Int {
        guard case .blocks(let value, _) = self else { return 0 }
        let layout = value.layout
        return layout.images * layout.channels * layout.height * layout.width * MemoryLayout<Float>.stride
    }

    /// Shows it to an observer, as it is or as rows of pixels.
    /// - Parameter memory: lends ``copiedBytes`` bytes for a copy, which hold whatever they held.
    func show(
        to observer: Observer, of layer: String, _ context: StepContext, memory: () throws -> UnsafeMutableRawPointer
    ) throws {
        switch self {
        case .planes(let view): try observer.observe(layer, view)
        case .blocks(let value, let kernels):
            if try observer.observeBlocks?(layer, BlockedInput(value)) == true { return }
            let layout = value.layout
            let shape = try Shape([layout.images, layout.channels, layout.height, layout.width])
            let copy = try memory()
            ToPlanes(x: value, y: copy.assumingMemoryBound(to: Float.self), kernels: kernels).run(context)
            try observer.observe(layer, TensorView(elementType: .float32, shape: shape, base: copy))
        }
    }
}
