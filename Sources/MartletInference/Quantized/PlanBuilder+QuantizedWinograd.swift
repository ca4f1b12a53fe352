import MartletNetworks
import MartletTensors

extension PlanBuilder {
    /// Transformed weights `[T, S, 3, 3]` with their factors and bias; `channels` are those of whole blocks of outputs.
    mutating func packedWinograd(
        _ output: String, _ layer: QuantizedLayer, _ weights: ByteWeights, _ tensor: Tensor, _ bias: Tensor?,
        x: ByteQuantization, channels: Int, lanes: Int
    ) throws -> QuantizedWinogradWeights {
        let (outputs, inputs) = (tensor.shape[0], tensor.shape[1])
        let (vectors, terms) = (channels / lanes, (inputs + 1) / 2 * 2)
        var plain = [Int8](repeating: 0, count: outputs * inputs * 9)
        weights.forEach(in: tensor) { plain[$0 * inputs * 9 + $1] = Int8(truncatingIfNeeded: $2) }
        func kernel(_ output: Int) -> QuantizedWinogradKernel {
            plain.withUnsafeBufferPointer {
                let rest = UnsafeBufferPointer(rebasing: $0[output * inputs * 9..<(output + 1) * inputs * 9])
                return QuantizedWinogradKernel(rest, inputs: inputs)
            }
        }
        var steps: [[Double]] = []
        let packed: UnsafePointer<Int16> = try packed(
            weights.name, as: "winograd bytes \(lanes)", count: 36 * channels * terms
        ) { target in
            for output in 0..<outputs {
                let kernel = kernel(output)
                steps.append(kernel.steps)
                let (vector, lane) = output.quotientAndRemainder(dividingBy: lanes)
                let first = vector / 2 * 2
                let width = min(2, vectors - first)
                for position in 0..<36 {
                    let base = (position * vectors + first) * lanes * terms + ((vector - first) * lanes + lane) * 2
                    for input in 0..<inputs {
                        let place = base + input / 2 * width * lanes * 2 + input % 2
                        target[place] = kernel.weights[position * inputs + input]
                    }
                }
            }
        }
        let form = "winograd factors of \(output)"
        let factors: UnsafePointer<Float> = try self.packed(weights.name, as: form, count: 36 * channels) { target in
            for output in 0..<outputs {
                let own = steps.isEmpty ? kernel(output).steps : steps[output]
                let scale = Double(x.scale) * Double(weights.scale(output)) / Double(layer.scaleOfSums)
                for position in 0..<36 { target[position * channels + output] = Float(own[position] * scale) }
            }
        }
        // Of input less 128, not less its zero point.
        let centred = try packedBias(
            output, weights, tensor, layer.bias, bias, x: x, centre: 128, channels: channels)
        let scaled: UnsafePointer<Float> = try self.packed(
            weights.name, as: "winograd bias of \(output)", count: channels
        ) { target in
            for output in 0..<outputs {
                let scale = Double(x.scale) * Double(weights.scale(output)) / Double(layer.scaleOfSums)
                target[output] = Float(Double(centred[output]) * scale)
            }
        }
        return QuantizedWinogradWeights(packed: packed, factors: factors, bias: scaled)
    }
}
