import MartletNetworks
import MartletTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension ParameterStore {
    /// Gives every parameter the value that training begins with.
    ///
    /// Convolutions are drawn from a normal distribution of variance 2 / (outputs times taps) (He et al., 2015), matrices evenly
    /// from within 1 / sqrt(inputs); biases are 0, scales 1, slopes of parametric ReLUs 0.25, and running statistics those
    /// of a standard distribution.
    func initialize(for network: Network, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var scales: Set<String> = []
        var slopes: Set<String> = []
        var means: Set<String> = []
        var inputs: [String: Int] = [:]
        for node in network.nodes {
            switch node.operation {
            case .batchNormalization:
                if let name = node.input(1) { scales.insert(name) }
                if let name = node.input(3) { means.insert(name) }
            case .parametricRelu: if let name = node.input(1) { slopes.insert(name) }
            case .gemm(let gemm):
                if let name = node.input(1), let tensor = network.constants[name] {
                    inputs[name] = tensor.shape[gemm.transposesB ? 1 : 0]
                }
            case .matMul: if let name = node.input(1) { inputs[name] = network.constants[name]?.shape[0] }
            default: break
            }
        }
        for parameter in parameters {
            let target = values + parameter.range.lowerBound
            let shape = parameter.shape
            if parameter.isWeight, shape.rank > 2 {
                let fan = shape.extents.enumerated().reduce(1) { $1.offset == 1 ? $0 : $0 * $1.element }
                let deviation = (2 / Float(max(1, fan))).squareRoot()
                for index in 0..<parameter.range.count { target[index] = deviation * random.normal() }
            } else if parameter.isWeight {
                let bound = 1 / Float(max(1, inputs[parameter.name] ?? shape.elementCount)).squareRoot()
                for index in 0..<parameter.range.count { target[index] = bound * (2 * random.uniform() - 1) }
            } else {
                let value: Float = scales.contains(parameter.name) ? 1 : slopes.contains(parameter.name) ? 0.25 : 0
                for index in 0..<parameter.range.count { target[index] = value }
            }
        }
        for state in states {
            let value: Float = means.contains(state.name) ? 0 : 1
            for index in state.range { stateValues[index] = value }
        }
    }
}

extension SplitMix64 {
    /// A number from the standard normal distribution (Box and Muller, 1958).
    fileprivate mutating func normal() -> Float {
        let radius = (-2 * log(1 - Double(uniform()))).squareRoot()
        return Float(radius * cos(2 * Double.pi * Double(uniform())))
    }
}
