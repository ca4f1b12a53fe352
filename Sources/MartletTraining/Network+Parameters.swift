import MartletNetworks
import MartletTensors

extension Network {
    /// What is learned, in the order of its first use: weights and biases of convolutions and matrix products, scale and bias
    /// of batch normalisations, slopes of parametric ReLUs.
    public func learnedParameters() -> [(name: String, isWeight: Bool)] {
        var result: [(name: String, isWeight: Bool)] = []
        var seen: Set<String> = []
        var products: Set<String> = []
        func take(_ name: String?, isWeight: Bool) {
            guard let name, let tensor = constants[name], tensor.elementType == .float32,
                tensor.shape.elementCount > 0, seen.insert(name).inserted
            else { return }
            result.append((name, isWeight))
        }
        for node in nodes {
            switch node.operation {
            case .convolution:
                take(node.input(1), isWeight: true)
                take(node.input(2), isWeight: false)
            case .gemm:
                take(node.input(0), isWeight: true)
                take(node.input(1), isWeight: true)
                take(node.input(2), isWeight: false)
            case .matMul:
                take(node.input(0), isWeight: true)
                take(node.input(1), isWeight: true)
                if let output = node.outputs.first, let output { products.insert(output) }
            case .batchNormalization:
                take(node.input(1), isWeight: false)
                take(node.input(2), isWeight: false)
            case .parametricRelu:
                take(node.input(1), isWeight: false)
            case .arithmetic(.add):
                // A fully connected layer's bias, where it is written as an addition.
                let names = node.inputs.compactMap { $0 }
                if names.contains(where: products.contains) { for name in names { take(name, isWeight: false) } }
            default: break
            }
        }
        return result
    }
}
