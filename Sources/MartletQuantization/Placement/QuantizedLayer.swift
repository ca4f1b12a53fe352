import MartletNetworks
import MartletTensors

/// A layer ready to be written: its weight and bias in integers.
struct QuantizedLayer {
    var layer: WeightedLayer
    var weight: QuantizedWeight
    /// The bias in floating point, correction included; `nil` if there is none and none can be added.
    var bias: [Float]?
    /// The scale of what goes in.
    var inputScale: Float

    /// The bias in units of input scale and weight scale.
    var integerBias: [Int32]? {
        bias.map { bias in
            zip(bias, weight.scales).map { value, scale in
                let steps = (Double(value) / (Double(inputScale) * Double(scale))).rounded(.toNearestOrEven)
                return Int32(max(-2_147_483_647, min(2_147_483_647, steps)))
            }
        }
    }

    /// The smallest scale of each output's weights for which its bias still fits 32 bits with room for the sums.
    static func smallestScales(bias: [Float]?, outputs: Int, inputScale: Float) -> [Float] {
        guard let bias else { return [Float](repeating: 0, count: outputs) }
        return bias.map { abs($0) / inputScale / Float(1 << 30) }
    }
}
