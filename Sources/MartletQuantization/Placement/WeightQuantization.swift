import MartletNetworks
import MartletParallelism
import MartletTensors

/// A layer's weight as int8, symmetric, one scale an output.
struct QuantizedWeight {
    /// The integers, in the weight's shape.
    var integers: Tensor
    /// One for each output.
    var scales: [Float]
    /// The axis of the outputs.
    var axis: Int
    /// What the integers stand for.
    var values: Tensor

    /// The weight of a layer, each output scaled by the factor among some that changes its result least.
    ///
    /// - Parameters:
    ///   - layer: the layer.
    ///   - weight: its weight.
    ///   - importance: the mean square of each input channel; a weight's error counts by that of its channel.
    ///   - smallestScales: no scale is smaller, by output: a bias in steps of it must fit 32 bits.
    init(_ layer: WeightedLayer, weight: Tensor, importance: [Double], smallestScales: [Float]) throws {
        let places = WeightPlaces(layer, weight: weight)
        var integers = [Int8](repeating: 0, count: weight.shape.elementCount)
        var values = [Float](repeating: 0, count: weight.shape.elementCount)
        var scales = [Float](repeating: 1, count: layer.outputs)
        weight.withElements(of: Float.self) { weight in
            for output in 0..<layer.outputs {
                let row = places.indices(of: output)
                let largest = row.reduce(Float(0)) { max($0, abs(weight[$1])) }
                let scale = max(largest / 127, smallestScales[output])
                guard scale.isNormal else { continue }
                var (best, least) = (scale, Double.infinity)
                for percent in [100, 97, 94, 91, 88, 85, 80] {
                    let candidate = max(scale * Float(percent) / 100, smallestScales[output])
                    if !candidate.isNormal { continue }
                    var error = 0.0
                    for (position, index) in row.enumerated() {
                        let steps = max(-127, min(127, (weight[index] / candidate).rounded(.toNearestOrEven)))
                        let difference = Double(weight[index] - steps * candidate)
                        error += difference * difference * importance[places.channel(at: position, output: output)]
                    }
                    if error < least { (best, least) = (candidate, error) }
                }
                scales[output] = best
                for index in row {
                    let steps = max(-127, min(127, (weight[index] / best).rounded(.toNearestOrEven)))
                    integers[index] = Int8(steps)
                    values[index] = steps * best
                }
            }
        }
        self.integers = try Tensor(integers, shape: weight.shape)
        self.values = try Tensor(values, shape: weight.shape)
        self.scales = scales
        axis = places.axis
    }

    /// Rounds the weight anew in the same steps. Its outputs must run along the first axis.
    mutating func round(_ weight: Tensor, by rounding: CompensatedRounding, pool: ThreadPool) throws {
        let steps = weight.withElements(of: Float.self) { rounding.rounded($0, scales: scales, pool: pool) }
        let fan = weight.shape.elementCount / max(scales.count, 1)
        integers = try Tensor(steps, shape: weight.shape)
        values = try Tensor(steps.indices.map { Float(steps[$0]) * scales[$0 / fan] }, shape: weight.shape)
    }
}

/// Where a layer's weight has which output and which input channel.
struct WeightPlaces {
    /// The axis of the outputs.
    let axis: Int
    private let layer: WeightedLayer
    private let fan: Int

    init(_ layer: WeightedLayer, weight: Tensor) {
        self.layer = layer
        fan = weight.shape.elementCount / layer.outputs
        if case .fullyConnected(isTransposed: false) = layer.kind { axis = 1 } else { axis = 0 }
    }

    /// The offsets of an output's weights.
    func indices(of output: Int) -> StrideTo<Int> {
        axis == 0
            ? stride(from: output * fan, to: (output + 1) * fan, by: 1)
            : stride(from: output, to: fan * layer.outputs, by: layer.outputs)
    }

    /// The offset of an output's weight at a position among its own.
    func index(of output: Int, at position: Int) -> Int {
        axis == 0 ? output * fan + position : position * layer.outputs + output
    }

    /// The input channel of an output's weight at a position among its own.
    func channel(at position: Int, output: Int) -> Int {
        let taps = layer.kernel.reduce(1, *)
        let group = output / (layer.outputs / layer.groups)
        return group * (layer.inputs / layer.groups) + position / taps
    }
}
