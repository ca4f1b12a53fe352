import MartletKernelsBaseline
import MartletNetworks
import MartletTensors

/// Elements that one task takes: enough to be worth handing out.
private let partSize = 1 << 14

/// An activation by itself. `y` may be `x`.
struct ActivationStep: Step {
    let x: TensorView
    let y: MutableTensorView
    let activation: Activation

    func run(_ context: StepContext) {
        context.forEachPart(of: x.shape.elementCount, size: partSize) { part in
            activation.apply(x.floats + part.lowerBound, into: y.floats + part.lowerBound, count: part.count)
        }
    }
}

/// The activation whose slope is a tensor. `y` is not `x`.
struct ParametricReluStep: Step {
    let x: TensorView
    let slope: TensorView
    let y: MutableTensorView
    let node: String

    func run(_ context: StepContext) throws {
        // First slope x for all elements, the slope broadcast; then x where it is positive.
        _ = try Operator.arithmetic(.multiply).evaluate(inputs: [x, slope], outputs: [y], node: node)
        context.forEachPart(of: x.shape.elementCount, size: partSize) { part in
            takeWherePositive(x.floats + part.lowerBound, into: y.floats + part.lowerBound, count: part.count)
        }
    }
}

/// Batch normalisation by itself, `scale (x - mean) / sqrt(variance + epsilon) + bias`. `y` may be `x`.
struct BatchNormalizationStep: Step {
    let x: TensorView
    let scale: TensorView
    let bias: TensorView
    let mean: TensorView
    let variance: TensorView
    let y: MutableTensorView
    let epsilon: Float

    func run(_ context: StepContext) {
        let channels = x.shape[1]
        let planes = x.shape[0] * channels
        if planes == 0 { return }
        let size = x.shape.elementCount / planes
        context.forEachPart(of: planes, size: max(1, partSize / max(size, 1))) { part in
            for plane in part {
                let channel = plane % channels
                let gain =
                    Double(scale.floats[channel]) / (Double(variance.floats[channel]) + Double(epsilon)).squareRoot()
                let shift = Double(bias.floats[channel]) - Double(mean.floats[channel]) * gain
                scaleAndShift(
                    x.floats + plane * size, into: y.floats + plane * size, count: size, scale: Float(gain),
                    shift: Float(shift))
            }
        }
    }
}

/// An operation that ``Operator/evaluate(inputs:outputs:node:)`` computes.
struct EvaluationStep: Step {
    let operation: Operator
    let inputs: [TensorView?]
    let outputs: [MutableTensorView?]
    let node: String

    func run(_ context: StepContext) throws {
        if try !operation.evaluate(inputs: inputs, outputs: outputs, node: node) {
            throw NetworkError.unsupported(node: node, reason: "nothing computes \(operation.kind)")
        }
    }
}
