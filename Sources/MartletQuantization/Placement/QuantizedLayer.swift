import MartletNetworks
import MartletTensors

/// A layer ready to be written: its weight in integers.
struct QuantizedLayer {
    var layer: WeightedLayer
    var weight: QuantizedWeight
    /// The bias in floating point, correction included; `nil` if there is none and none can be added.
    var bias: [Float]?

    /// The smallest scale of each output's weights for which its bias still fits 32 bits with room for the sums.
    static func smallestScales(bias: [Float]?, outputs: Int, inputScale: Float) -> [Float] {
        guard let bias else { return [Float](repeating: 0, count: outputs) }
        return bias.map { abs($0) / inputScale / Float(1 << 30) }
    }
}
