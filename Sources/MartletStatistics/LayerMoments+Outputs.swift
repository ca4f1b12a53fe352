import MartletLinearAlgebra
import MartletNetworks
import MartletTensors

extension LayerMoments {
    /// The first and second moment of what a layer puts out, before any activation; they follow from those of its input.
    ///
    /// With `y = W u + b`: `E[y] = W mu + b` and `E[y y^T] = W Sigma W^T + W mu b^T + b (W mu)^T + b b^T`.
    /// - Returns: Of the outputs of a group, T of them, the mean and the `T x T` second moment.
    /// - Throws: ``StatisticsError/layerMismatch(name:expected:found:)`` for moments of another layer,
    ///   `LinearAlgebraError`.
    public func outputMoments(
        of layer: WeightedLayer, in network: Network, group: Int = 0
    ) throws -> (mean: [Double], second: Matrix) {
        guard groups == layer.groups, patchSize == layer.patchSize, let weight = network.constants[layer.weight],
            weight.shape.elementCount == layer.outputs * layer.patchSize
        else {
            throw StatisticsError.layerMismatch(
                name: layer.name, expected: "\(layer.groups) x \(layer.patchSize)", found: "\(groups) x \(patchSize)")
        }
        let outputs = layer.outputs / groups
        var w = [Double](repeating: 0, count: outputs * patchSize)
        var isTransposed = true
        if case .fullyConnected(let transposed) = layer.kind { isTransposed = transposed }
        weight.withElements(of: Float.self) { weight in
            for row in 0..<outputs {
                for column in 0..<patchSize {
                    let index =
                        isTransposed
                        ? (group * outputs + row) * patchSize + column : column * layer.outputs + row
                    w[row * patchSize + column] = Double(weight[index])
                }
            }
        }
        var bias = [Double](repeating: 0, count: outputs)
        if let name = layer.bias, let tensor = network.constants[name], tensor.elementType == .float32,
            tensor.shape.elementCount == layer.outputs
        {
            tensor.withElements(of: Float.self) { values in
                for row in 0..<outputs { bias[row] = Double(values[group * outputs + row]) }
            }
        }
        let mu = mean(group: group)
        let projected = (0..<outputs).map { row in
            (0..<patchSize).reduce(0.0) { $0 + w[row * patchSize + $1] * mu[$1] }
        }
        let sigma = try secondMoment(group: group)
        var product = [Double](repeating: 0, count: outputs * patchSize)
        var second = [Double](repeating: 0, count: outputs * outputs)
        let (d, t) = (patchSize, outputs)
        sigma.elements.withUnsafeBufferPointer { sigma in
            w.withUnsafeBufferPointer { w in
                product.withUnsafeMutableBufferPointer { product in
                    second.withUnsafeMutableBufferPointer { second in
                        guard let sigma = sigma.baseAddress, let w = w.baseAddress, let product = product.baseAddress,
                            let second = second.baseAddress
                        else { return }
                        BLAS.gemm(m: t, n: d, k: d, a: w, lda: d, b: sigma, ldb: d, c: product, ldc: d)
                        BLAS.gemm(
                            transposeB: true, m: t, n: t, k: d, a: product, lda: d, b: w, ldb: d, c: second, ldc: t)
                    }
                }
            }
        }
        for i in 0..<t {
            for j in 0..<t { second[i * t + j] += projected[i] * bias[j] + bias[i] * projected[j] + bias[i] * bias[j] }
        }
        return (zip(projected, bias).map(+), try Matrix(rows: t, columns: t, elements: second))
    }
}
