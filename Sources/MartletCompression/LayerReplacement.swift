import MartletDecompositions
import MartletLinearAlgebra
import MartletNetworks
import MartletTensors

/// What stands for a layer.
struct LayerReplacement: Sendable, Equatable {
    /// The chain, in the order in which it runs.
    var links: [FactorLayer]
    /// The corrected bias, `[T]`; `nil` leaves the layer's own.
    var bias: [Double]?
}

extension Network {
    /// The network with some layers replaced, by name.
    func replacing(_ replacements: [String: LayerReplacement]) throws -> Network {
        var result = self
        // Back to front: positions before the one at hand do not move.
        for layer in weightedLayers().reversed() {
            guard let replacement = replacements[layer.name] else { continue }
            try result.replace(layer, with: replacement)
        }
        result.removeDeadNodes()
        return result
    }

    /// The weights of a layer as a kernel `[T, S, h, w]`; `nil` if they are not constant.
    func kernel(of layer: WeightedLayer) throws -> ConvolutionKernel? {
        guard let weight = constants[layer.weight] else { return nil }
        var elements = try weight.elements(Float.self)
        if case .fullyConnected(isTransposed: false) = layer.kind {
            let (inputs, outputs) = (layer.inputs, layer.outputs)
            elements = (0..<inputs * outputs).map { elements[$0 % inputs * outputs + $0 / inputs] }
        }
        return try ConvolutionKernel(
            outputs: layer.outputs, inputs: layer.inputs, height: layer.kernel.count == 2 ? layer.kernel[0] : 1,
            width: layer.kernel.last ?? 1, elements: elements)
    }

    /// Whether a layer's bias can take a correction: it is constant, one number an output, or there is none yet and a place
    /// for it.
    func canCorrectBias(of layer: WeightedLayer) -> Bool {
        if let bias = layer.bias {
            guard let tensor = constants[bias] else { return false }
            return tensor.elementType == .float32 && tensor.shape.elementCount == layer.outputs
        }
        return nodes[layer.nodeIndex].operation != .matMul
    }

    /// The constant bias of a layer; zeros where there is none.
    func constantBias(of layer: WeightedLayer) throws -> [Double] {
        guard let tensor = layer.bias.flatMap({ constants[$0] }) else {
            return [Double](repeating: 0, count: layer.outputs)
        }
        return try tensor.elements(Float.self).map(Double.init)
    }

    /// `b' = b + (W - V) mu`, which keeps the mean of the outputs where it was.
    func bias(
        of layer: WeightedLayer, correctedFor kernel: ConvolutionKernel, _ approximation: ConvolutionKernel,
        mean: [Double]
    ) throws -> [Double] {
        zip(try constantBias(of: layer), zip(kernel.outputs(of: mean), approximation.outputs(of: mean))).map {
            $0 + $1.0 - $1.1
        }
    }
}

extension ConvolutionKernel {
    /// `W u` for a patch `u`.
    func outputs(of patch: [Double]) -> [Double] {
        elements.withUnsafeBufferPointer { elements in
            (0..<outputs).map { row in
                var sum = 0.0
                for column in 0..<patchSize { sum += elements[row * patchSize + column] * patch[column] }
                return sum
            }
        }
    }
}
