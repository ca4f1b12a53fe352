import Foundation
import MartletNetworks
import MartletTensors

/// Evens out the channels of values between two layers that commute with scaling.
///
/// Between `y = A x` and `z = B f(y)`, with `f(s y) = s f(y)` for each channel and `s > 0`, the rows of `A` may be divided and the
/// columns of `B` multiplied by any positive numbers. One scale for all channels of `f(y)` then wastes less of its range
/// (Nagel et al. 2019, cross-layer equalisation). Between the factors of a decomposed layer this is the freedom that the
/// decomposition leaves, the balance of a CP decomposition's rank-one terms among it.
struct Equalization {
    /// Two layers, and the value that the second reads.
    struct Pair {
        var first: WeightedLayer
        var second: WeightedLayer
        /// The second's input, `f(y)`.
        var value: String
    }

    let pairs: [Pair]

    /// The pairs of a network. A value that anything else reads, or a weight that is used twice, is left alone.
    init(_ network: Network) {
        let uses = network.useCounts()
        let layers = Dictionary(uniqueKeysWithValues: network.weightedLayers().map { ($0.nodeIndex, $0) })
        var producers: [String: Int] = [:]
        for (index, node) in network.nodes.enumerated() {
            for case let output? in node.outputs { producers[output] = index }
        }
        func isOwn(_ name: String?) -> Bool { name.map { uses[$0] == 1 } ?? true }
        func isOwn(_ layer: WeightedLayer) -> Bool {
            isOwn(layer.weight) && isOwn(layer.bias) && (layer.bias.map { network.constants[$0] != nil } ?? true)
        }
        pairs = layers.values.sorted { $0.nodeIndex < $1.nodeIndex }.compactMap { second in
            guard isOwn(second), let value = network.nodes[second.nodeIndex].input(0) else { return nil }
            var current = value
            while uses[current] == 1, let producer = producers[current] {
                if let first = layers[producer] {
                    guard isOwn(first), first.outputs == second.inputs else { return nil }
                    return Pair(first: first, second: second, value: value)
                }
                guard network.nodes[producer].commutesWithScaling, let input = network.nodes[producer].input(0) else {
                    return nil
                }
                current = input
            }
            return nil
        }
    }

    /// Scales the layers of each pair, given the statistics of the values between them before any scaling.
    func apply(to network: inout Network, statistics: [String: ChannelStatistics]) throws {
        for pair in pairs {
            guard let statistics = statistics[pair.value], statistics.minimum.count == pair.second.inputs,
                let factors = factors(pair, network, statistics)
            else { continue }
            try network.scaleOutputs(of: pair.first, by: factors.map { 1 / $0 })
            try network.scaleInputs(of: pair.second, by: factors)
        }
    }

    /// The factors of least expected error of the second layer's output, `nil` if nothing is better than none.
    ///
    /// Rounding the value to steps of `D` costs `D^2 / 12` times the squares of the weights, rounding an output's weights to
    /// steps of `d` costs `d^2 / 12` times the mean squares of what they multiply.
    private func factors(_ pair: Pair, _ network: Network, _ statistics: ChannelStatistics) -> [Float]? {
        guard let weight = network.constants[pair.second.weight] else { return nil }
        let layer = pair.second
        let places = WeightPlaces(layer, weight: weight)
        let channels = layer.inputs
        // By channel, the squares of the weights that read it; by output and channel, the largest weight.
        var squares = [Double](repeating: 0, count: channels)
        var largest = [[Int: Double]](repeating: [:], count: layer.outputs)
        weight.withElements(of: Float.self) { weight in
            for output in 0..<layer.outputs {
                for (position, index) in places.indices(of: output).enumerated() {
                    let channel = places.channel(at: position, output: output)
                    let value = Double(weight[index])
                    squares[channel] += value * value
                    largest[output][channel] = max(largest[output][channel] ?? 0, abs(value))
                }
            }
        }
        let ranges = zip(statistics.minimum, statistics.maximum).map { Double(max(-$0, $1)) }
        guard let widest = ranges.max(), widest > 0, widest.isFinite else { return nil }
        let meanSquares = statistics.meanSquares
        let taps = Double(layer.kernel.reduce(1, *))
        func cost(_ factors: [Double]) -> Double {
            var (low, high) = (0.0, 0.0)
            for channel in 0..<channels {
                low = min(low, Double(statistics.minimum[channel]) / factors[channel])
                high = max(high, Double(statistics.maximum[channel]) / factors[channel])
            }
            let step = (high - low) / 255
            var sum = step * step * zip(squares, factors).reduce(0) { $0 + $1.0 * $1.1 * $1.1 }
            for output in 0..<layer.outputs {
                var (peak, energy) = (0.0, 0.0)
                for (channel, value) in largest[output] {
                    peak = max(peak, value * factors[channel])
                    energy += meanSquares[channel] / (factors[channel] * factors[channel])
                }
                sum += peak * peak / (127 * 127) * energy * taps
            }
            return sum
        }
        var columns = [Double](repeating: 0, count: channels)
        for row in largest { for (channel, value) in row { columns[channel] = max(columns[channel], value) } }
        let highestColumn = columns.max() ?? 0
        guard highestColumn > 0 else { return nil }
        var best: [Double]?
        var least = cost([Double](repeating: 1, count: channels))
        for power in [0.25, 0.5, 0.75, 1] {
            let candidate = Equalization.normalized(
                (0..<channels).map { channel in
                    // Channels that hold next to nothing are left where they are worth nothing.
                    let range = max(ranges[channel], widest * 1e-3)
                    let column = max(columns[channel], highestColumn * 1e-3)
                    return pow(range, power) / pow(column, 1 - power)
                })
            let found = cost(candidate)
            if found < least { (best, least) = (candidate, found) }
        }
        return best?.map { Float($0) }
    }

    /// Factors of geometric mean 1.
    private static func normalized(_ factors: [Double]) -> [Double] {
        let mean = exp(factors.reduce(0) { $0 + log($1) } / Double(max(factors.count, 1)))
        return factors.map { $0 / mean }
    }
}

extension Node {
    /// Whether scaling a channel of the input by a positive number scales that channel of the result.
    fileprivate var commutesWithScaling: Bool {
        switch operation {
        case .activation(.relu), .activation(.leakyRelu), .maxPool, .averagePool, .globalAveragePool, .globalMaxPool:
            outputs.count == 1
        default: false
        }
    }
}

extension Network {
    fileprivate mutating func scaleOutputs(of layer: WeightedLayer, by factors: [Float]) throws {
        guard var weight = constants[layer.weight] else { return }
        let places = WeightPlaces(layer, weight: weight)
        try weight.withMutableElements(of: Float.self) { weight in
            for output in 0..<layer.outputs {
                for index in places.indices(of: output) { weight[index] *= factors[output] }
            }
        }
        constants[layer.weight] = weight
        if let name = layer.bias, var bias = constants[name] {
            try bias.withMutableElements(of: Float.self) { bias in
                for output in bias.indices { bias[output] *= factors[output] }
            }
            constants[name] = bias
        }
    }

    fileprivate mutating func scaleInputs(of layer: WeightedLayer, by factors: [Float]) throws {
        guard var weight = constants[layer.weight] else { return }
        let places = WeightPlaces(layer, weight: weight)
        try weight.withMutableElements(of: Float.self) { weight in
            for output in 0..<layer.outputs {
                for (position, index) in places.indices(of: output).enumerated() {
                    weight[index] *= factors[places.channel(at: position, output: output)]
                }
            }
        }
        constants[layer.weight] = weight
    }
}
