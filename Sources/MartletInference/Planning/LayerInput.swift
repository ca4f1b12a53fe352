import MartletTensors

/// What goes into a layer, wherever it lies.
enum LayerInput {
    /// Rows of pixels.
    case planes(TensorView)
    /// Blocks of channels.
    case blocks(BlockedValue, KernelSet)

    /// Shows it as rows of pixels.
    func show(_ context: StepContext, _ body: (TensorView) throws -> Void) throws {
        switch self {
        case .planes(let view): try body(view)
        case .blocks(let value, let kernels):
            let layout = value.layout
            var copy = try Tensor(
                zeros: Shape([layout.images, layout.channels, layout.height, layout.width]), elementType: .float32)
            try copy.withMutableView { ToPlanes(x: value, y: $0.floats, kernels: kernels).run(context) }
            try copy.withView(body)
        }
    }
}
