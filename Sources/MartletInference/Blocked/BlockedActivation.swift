import MartletNetworks

/// An elementwise function, on blocks; the result may lie over the argument.
struct BlockedActivation: Step {
    let x: BlockedValue
    let y: BlockedValue
    let activation: Activation
    /// A row of zeros: a clamp is the end of a sum.
    let zeros: UnsafePointer<Float>
    let kernels: KernelSet

    func run(_ context: StepContext) {
        let (x, y, zeros, activation, kernels) = (x, y, zeros, activation, kernels)
        let (rows, columns) = (y.layout.height, y.layout.width)
        let (xStep, yStep) = (x.layout.rowStride, y.layout.rowStride)
        context.pool.forEach(y.layout.images * y.layout.blocks) { task in
            let (image, block) = task.quotientAndRemainder(dividingBy: y.layout.blocks)
            let (input, output) = (x.plane(image: image, block: block), y.plane(image: image, block: block))
            switch activation {
            case .relu, .clip:
                let clamp = ClampBounds(activation) ?? ClampBounds()
                kernels.addRows(
                    input, aRowStep: xStep, zeros, bRowStep: 0, output: output, outputRowStep: yStep, rows: rows,
                    columns: columns, minimum: clamp.minimum, maximum: clamp.maximum)
            case .leakyRelu(let slope):
                kernels.leakyReluRows(
                    input: input, inputRowStep: xStep, output: output, outputRowStep: yStep, rows: rows,
                    columns: columns, slope: slope)
            case .sigmoid:
                kernels.sigmoidRows(
                    input: input, inputRowStep: xStep, output: output, outputRowStep: yStep, rows: rows,
                    columns: columns)
            case .hardSigmoid(let alpha, let beta):
                kernels.hardSigmoidRows(
                    input: input, inputRowStep: xStep, output: output, outputRowStep: yStep, rows: rows,
                    columns: columns, alpha: alpha, beta: beta)
            case .hardSwish:
                kernels.hardSwishRows(
                    input: input, inputRowStep: xStep, output: output, outputRowStep: yStep, rows: rows,
                    columns: columns)
            case .tanh:
                kernels.hyperbolicTangentRows(
                    input: input, inputRowStep: xStep, output: output, outputRowStep: yStep, rows: rows,
                    columns: columns)
            }
        }
    }
}

/// Steps one after the other.
struct StepSequence: Step {
    let steps: [any Step]

    var scratchBytes: Int { steps.map(\.scratchBytes).max() ?? 0 }
    var sharedBytes: Int { steps.map(\.sharedBytes).max() ?? 0 }

    func run(_ context: StepContext) throws { for step in steps { try step.run(context) } }
}
