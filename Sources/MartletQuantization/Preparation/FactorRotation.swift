import Foundation
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Mixes the channels between two linear layers, so that all are about as wide and none has numbers far out.
///
/// With nothing between `y = A x` and `z = B y`, they may be `Q A` and `B Q^T` for any orthogonal `Q`: the network computes the
/// same. The factors of a decomposition leave that freedom. Their channels are sorted, from a few strong ones with numbers
/// far from their mean to many weak ones, the worst that one scale for all can get, and so are the weights that read them.
/// By the discrete cosine transform (type II), whose numbers are all of about one size, each channel becomes a sum of all:
/// nearly normal, whatever they were. (Rotations before rounding: Ashkboos et al. 2024, QuaRot,
/// [arXiv 2404.00456](https://arxiv.org/abs/2404.00456), for transformers.) Depthwise factors have no such freedom, only
/// that of ``Equalization``.
struct FactorRotation {
    private let pairs: [Equalization.Pair]

    /// The pairs of layers of a network that mix all channels and have nothing between them.
    init(_ network: Network) {
        pairs = Equalization(network).pairs.filter { pair in
            pair.first.groups == 1 && pair.second.groups == 1 && pair.first.outputs > 1
                && network.nodes[pair.first.nodeIndex].outputs.first == pair.value
                && network.nodes[pair.first.nodeIndex].isLinear
        }
    }

    /// Rotates the layers of each pair.
    /// - Throws: `LinearAlgebraError`, `TensorError`.
    func apply(to network: inout Network, pool: ThreadPool) throws {
        for pair in pairs {
            let rotation = FactorRotation.cosineTransform(pair.first.outputs)
            try network.rotateOutputs(of: pair.first, by: rotation, pool: pool)
            try network.rotateInputs(of: pair.second, by: rotation, pool: pool)
        }
    }

    /// The orthonormal discrete cosine transform of type II.
    static func cosineTransform(_ order: Int) -> Matrix {
        var result = Matrix(rows: order, columns: order)
        for i in 0..<order {
            let scale = ((i == 0 ? 1 : 2) / Double(order)).squareRoot()
            for j in 0..<order {
                // By whole numbers first: the angle stays small and exact.
                let quarter = (2 * j + 1) * i % (4 * order)
                result[i, j] = scale * cos(Double.pi * Double(quarter) / Double(2 * order))
            }
        }
        return result
    }
}

extension Node {
    /// Whether it is a layer alone, without an activation or a sum in it.
    fileprivate var isLinear: Bool {
        if case .convolution(let convolution) = operation {
            return convolution.activation == nil && !convolution.addsResidual
        }
        return true
    }
}

extension Network {
    fileprivate mutating func rotateOutputs(of layer: WeightedLayer, by rotation: Matrix, pool: ThreadPool) throws {
        guard let weight = constants[layer.weight] else { return }
        let places = WeightPlaces(layer, weight: weight)
        try rotate(layer.weight, by: rotation, columns: layer.patchSize, pool: pool) { output, position in
            places.index(of: output, at: position)
        }
        if let bias = layer.bias { try rotate(bias, by: rotation, columns: 1, pool: pool) { output, _ in output } }
    }

    fileprivate mutating func rotateInputs(of layer: WeightedLayer, by rotation: Matrix, pool: ThreadPool) throws {
        guard let weight = constants[layer.weight] else { return }
        let places = WeightPlaces(layer, weight: weight)
        let taps = layer.kernel.reduce(1, *)
        try rotate(layer.weight, by: rotation, columns: layer.outputs * taps, pool: pool) { channel, column in
            places.index(of: column / taps, at: channel * taps + column % taps)
        }
    }

    /// Multiplies a constant, seen as a matrix of `columns` columns of which `index` tells where its numbers are.
    private mutating func rotate(
        _ name: String, by rotation: Matrix, columns: Int, pool: ThreadPool,
        index: (_ row: Int, _ column: Int) -> Int
    ) throws {
        guard var tensor = constants[name] else { return }
        var matrix = Matrix(rows: rotation.columns, columns: columns)
        tensor.withElements(of: Float.self) { elements in
            for row in 0..<matrix.rows {
                for column in 0..<columns { matrix[row, column] = Double(elements[index(row, column)]) }
            }
        }
        let rotated = try rotation.multiplied(by: matrix, pool: pool)
        try tensor.withMutableElements(of: Float.self) { elements in
            for row in 0..<rotated.rows {
                for column in 0..<columns { elements[index(row, column)] = Float(rotated[row, column]) }
            }
        }
        constants[name] = tensor
    }
}
