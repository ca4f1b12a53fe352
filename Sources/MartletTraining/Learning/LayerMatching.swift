import MartletNetworks
import MartletParallelism
import MartletTensors

/// What the layers of a teacher put out, for a network that was made from it to put out the same.
///
/// The loss is the mean over the layers, convolutions and fully connected ones, of `|y - t|^2 / |t|^2`, where `y` is what a
/// layer puts out in the network and `t` in the teacher: the relative error that a decomposition makes least for each layer
/// alone, but of all layers at once, each behind the changed ones before it, and over the parameters of all of them. It needs
/// no labels. A few hundred images say far more by it than by the answers alone, for each shows a number for every place
/// and channel of every layer.
struct LayerMatching {
    /// The values that both networks know by the same name, in the teacher's order.
    let names: [String]

    /// The layers that two networks have in common.
    /// - Parameters:
    ///   - network: The one that learns.
    ///   - teacher: The other, simplified.
    /// - Throws: ``TrainingError/noLayersInCommon(teacher:)``, `NetworkError`.
    init(_ network: Network, teacher: Network) throws {
        let (own, others) = (try network.forOneImage().types, try teacher.forOneImage().types)
        names = teacher.nodes.compactMap { node in
            guard node.isLayer, let name = node.outputs.first ?? nil, let type = own[name], type == others[name],
                type.elementType == .float32
            else { return nil }
            return name
        }
        if names.isEmpty { throw TrainingError.noLayersInCommon(teacher: teacher.name) }
    }

    /// The loss of a batch, and its gradients.
    /// - Parameters:
    ///   - outputs: What the layers put out, `[N, ...]`, in the order of ``names``.
    ///   - wanted: What they should have put out, in the same shapes.
    ///   - gradients: Added to: those of the loss by `outputs`.
    static func evaluate(
        _ outputs: [TensorView], wanted: [Tensor], gradients: [MutableTensorView], pool: ThreadPool
    ) -> Double {
        var loss = 0.0
        for (index, output) in outputs.enumerated() {
            let images = max(1, output.shape.extents.first ?? 1)
            let size = output.shape.elementCount / images
            let (y, g) = (output.elements(of: Float.self), gradients[index].elements(of: Float.self))
            wanted[index].withElements(of: Float.self) { t in
                // One sum for each image, so that threads change nothing.
                var sums = [SIMD2<Double>](repeating: .zero, count: images)
                sums.withUnsafeMutableBufferPointer { sums in
                    nonisolated(unsafe) let sums = sums
                    pool.forEach(images) { image in
                        var sum = SIMD2<Double>.zero
                        for place in image * size..<(image + 1) * size {
                            let error = Double(y[place] - t[place])
                            sum += SIMD2(error * error, Double(t[place]) * Double(t[place]))
                        }
                        sums[image] = sum
                    }
                }
                let sum = sums.reduce(.zero, +)
                // A layer that is silent in the teacher has no relative error.
                guard sum.y > 0 else { return }
                let scale = 1 / (sum.y * Double(outputs.count))
                loss += scale * sum.x
                let factor = Float(2 * scale)
                pool.forEach(images) { image in
                    for place in image * size..<(image + 1) * size { g[place] += factor * (y[place] - t[place]) }
                }
            }
        }
        return loss
    }
}

extension Node {
    /// Whether it is a layer with weights.
    fileprivate var isLayer: Bool {
        switch operation {
        case .convolution, .gemm, .matMul: true
        default: false
        }
    }
}
