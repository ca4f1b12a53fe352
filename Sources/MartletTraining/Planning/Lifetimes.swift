import MartletInference
import MartletNetworks

/// When values and gradients of a plan are in use.
///
/// Time runs from 1, the first node forward, over n, the last, and n + 1, the loss, to 2 n + 1, the first node backward. A value
/// lives from its node to its last use, which may be backward; a gradient from its first part to its node backward.
struct Lifetimes {
    let nodeCount: Int

    func forward(_ node: Int) -> Int { node + 1 }
    var loss: Int { nodeCount + 1 }
    func backward(_ node: Int) -> Int { 2 * nodeCount + 1 - node }
}

extension Node {
    /// The values that a node's gradient is computed from, besides parameters, given which inputs have a gradient.
    func valuesForGradient(differentiates: (String) -> Bool) -> [String] {
        func has(_ index: Int) -> Bool { input(index).map(differentiates) ?? false }
        func names(_ indices: Int...) -> [String] { indices.compactMap { input($0) } }
        let result = outputs.first.flatMap { $0 }.map { [$0] } ?? []
        switch operation {
        case .convolution(let convolution):
            return (has(1) ? names(0) : []) + (convolution.activation == nil ? [] : result)
        case .gemm(let gemm):
            return (has(1) ? names(0) : []) + (has(0) ? names(1) : []) + (gemm.activation == nil ? [] : result)
        case .matMul: return (has(1) ? names(0) : []) + (has(0) ? names(1) : [])
        case .batchNormalization, .maxPool, .localResponseNormalization, .parametricRelu: return names(0)
        case .activation(let activation): return activation.isToldByResult ? result : names(0)
        case .clip, .softmax: return result
        case .globalMaxPool: return names(0) + result
        case .arithmetic(.multiply), .arithmetic(.divide): return names(0, 1)
        default: return []
        }
    }
}
