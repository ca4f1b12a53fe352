import MartletInference
import MartletKernelsBaseline
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Gathers what layers of a changed network see, together with what they should put out: the outputs of the original's layers
/// of the same names, on the same images.
///
/// Where a layer's output is added to another value that both networks compute, a shortcut's for instance, its target is the
/// original's output and what that value has lost: then the sum comes right. (Zhang et al. 2015 fit to the original's outputs
/// on changed inputs; He et al. 2017 mend the sum of a residual block.)
public final class TargetGatherer {
    /// One layer and its sums.
    private struct Entry {
        var layer: WeightedLayer
        var gatherer: LayerGatherer
        /// The value that it computes.
        var output: String
        /// What is added to it.
        var addend: String?
        var sums: Sums
    }

    /// Sums in double precision.
    private struct Sums {
        var count = 0
        /// `[D, T]`.
        var cross: [Double]
        var outputs: [Double]
        var square = 0.0
    }

    private let original: Executor
    private let changed: Executor
    private var entries: [String: Entry] = [:]
    private let scratch = Scratch()
    private var steps = 0

    /// A gatherer of ungrouped layers that both networks have, with the same name and shape.
    /// - Parameters:
    ///   - original: as ``Network/simplified(keepingHalfWeights:)`` leaves it, with one input.
    ///   - changed: takes the same input.
    ///   - pool: the threads that share the work.
    ///   - mendsSums: whether targets take in what a value that is added to the output has lost.
    ///   - wanted: which of these layers.
    /// - Throws: `NetworkError`, `InstructionSetError`.
    public init(
        original: Network, changed: Network, mendsSums: Bool = true, pool: ThreadPool,
        layers wanted: (WeightedLayer) -> Bool
    ) throws {
        for network in [original, changed] where network.inputs.count != 1 {
            throw NetworkError.unsupported(
                node: network.name, reason: "statistics of a network with \(network.inputs.count) inputs")
        }
        let kernels = MomentKernels(try InstructionSet.chosen())
        let others = Dictionary(changed.weightedLayers().map { ($0.name, $0) }) { first, _ in first }
        let known = Set(changed.nodes.flatMap { $0.outputs.compactMap { $0 } })
        var (values, addends) = (Set<String>(), Set<String>())
        for layer in original.weightedLayers() where layer.groups == 1 && wanted(layer) {
            guard let other = others[layer.name], other.kernel == layer.kernel, other.inputs == layer.inputs,
                other.outputs == layer.outputs, let output = original.nodes[layer.nodeIndex].outputs.first ?? nil
            else { continue }
            let addend = mendsSums ? original.addend(to: output).flatMap { known.contains($0) ? $0 : nil } : nil
            values.insert(output)
            if let addend { addends.insert(addend) }
            entries[layer.name] = Entry(
                layer: layer,
                gatherer: LayerGatherer(
                    layer: other, kernels: kernels, form: nil, imagesPerStep: StatisticsGatherer.imagesPerStep),
                output: output, addend: addend,
                sums: Sums(
                    cross: [Double](
                        repeating: 0, count: try CheckedArithmetic.product([layer.patchSize, layer.outputs])),
                    outputs: [Double](repeating: 0, count: layer.outputs)))
        }
        self.original = try Executor(network: try original.puttingOut(values.union(addends).sorted()), pool: pool)
        self.changed = try Executor(
            network: try changed.puttingOut(addends.sorted()), pool: pool, options: .showingLayers)
    }

    /// The names of the layers, sorted.
    public var layerNames: [String] { entries.keys.sorted() }

    /// Runs both networks over a batch `[n, C, H, W]` and adds.
    /// - Throws: `NetworkError`, ``StatisticsError/nonFinite(layer:)``, ``StatisticsError/layerMismatch(name:expected:found:)``.
    public func add(_ batch: Tensor) throws {
        let wanted = try original.run([original.network.inputs[0].name: batch])
        var inputs: [String: Tensor] = [:]
        let observer = Observer(layers: Set(entries.keys)) { name, input in
            inputs[name] = try Tensor(elementType: input.elementType, shape: input.shape, bytes: input.bytes)
        }
        let found = try changed.run([changed.network.inputs[0].name: batch], observing: observer)
        for name in layerNames {
            guard let entry = entries[name], let input = inputs[name], var target = wanted[entry.output] else {
                throw StatisticsError.missingLayer(name: name)
            }
            if let addend = entry.addend, let before = wanted[addend], let after = found[addend] {
                guard before.shape == target.shape, after.shape == target.shape else {
                    throw StatisticsError.layerMismatch(
                        name: name, expected: "\(target.shape)", found: "\(after.shape)")
                }
                try before.withElements(of: Float.self) { before in
                    try after.withElements(of: Float.self) { after in
                        try target.withMutableElements(of: Float.self) { target in
                            for index in target.indices { target[index] += before[index] - after[index] }
                        }
                    }
                }
            }
            try input.withView {
                try entry.gatherer.add($0, step: steps, scratch: scratch, pool: changed.pool)
            }
            try add(input, target, of: entry.layer, to: name)
        }
        steps += 1
    }

    /// Adds `E[u' y^T]` and the moments of `y`.
    private func add(_ input: Tensor, _ target: Tensor, of layer: WeightedLayer, to name: String) throws {
        let (size, outputs) = (layer.patchSize, layer.outputs)
        let images = layer.images(in: input.shape)
        let window = try layer.slidingWindow(input: layer.spatialExtents(of: input.shape))
        let pixels = window.outputCount
        guard target.shape.elementCount == images * outputs * pixels else {
            throw StatisticsError.layerMismatch(
                name: name, expected: "\(images * outputs * pixels) outputs", found: "\(target.shape)")
        }
        guard var sums = entries[name]?.sums else { return }
        // Nothing else holds the sums meanwhile, so they are changed in place.
        entries[name]?.sums = Sums(cross: [], outputs: [])
        let pool = changed.pool
        var columns = [Float](repeating: 0, count: size * pixels)
        var products = [Float](repeating: 0, count: size * outputs)
        try input.withElements(of: Float.self) { input in
            try target.withElements(of: Float.self) { target in
                for value in target where !value.isFinite { throw StatisticsError.nonFinite(layer: name) }
                guard let input = input.baseAddress, let target = target.baseAddress else { return }
                columns.withUnsafeMutableBufferPointer { columns in
                    products.withUnsafeMutableBufferPointer { products in
                        guard let columns = columns.baseAddress, let products = products.baseAddress else { return }
                        for image in 0..<images {
                            let goal = target + image * outputs * pixels
                            if pixels > 1 || window.tapCount > 1 {
                                im2col(
                                    input + image * layer.inputs * window.inputCount, channels: layer.inputs,
                                    window: window, firstPixel: 0, pixelCount: pixels, into: columns,
                                    rowStride: pixels)
                            } else {
                                columns.update(from: input + image * layer.inputs, count: size)
                            }
                            // Images in one step are added up in single precision, as everywhere.
                            BLAS.gemm(
                                pool: pool, transposeB: true, m: size, n: outputs, k: pixels, a: columns, lda: pixels,
                                b: goal, ldb: pixels, beta: image == 0 ? 0 : 1, c: products, ldc: outputs)
                            for output in 0..<outputs {
                                var (sum, square) = (0.0, 0.0)
                                for pixel in 0..<pixels {
                                    let value = Double(goal[output * pixels + pixel])
                                    sum += value
                                    square += value * value
                                }
                                sums.outputs[output] += sum
                                sums.square += square
                            }
                        }
                    }
                }
            }
        }
        for index in 0..<size * outputs { sums.cross[index] += Double(products[index]) }
        sums.count += images * pixels
        entries[name]?.sums = sums
    }

    /// The moments of a layer's inputs and targets.
    /// - Throws: ``StatisticsError/missingLayer(name:)``, ``StatisticsError/empty``.
    public func moments(of layer: String) throws -> TargetMoments {
        guard let entry = entries[layer] else { throw StatisticsError.missingLayer(name: layer) }
        if entry.sums.count == 0 { throw StatisticsError.empty }
        let scale = 1 / Double(entry.sums.count)
        return TargetMoments(
            inputs: try entry.gatherer.moments(pool: changed.pool),
            cross: try Matrix(
                rows: entry.layer.patchSize, columns: entry.layer.outputs,
                elements: entry.sums.cross.map { $0 * scale }),
            targetMean: entry.sums.outputs.map { $0 * scale }, targetSquare: entry.sums.square * scale)
    }
}

/// The moments of what a layer sees and of what it should put out.
public struct TargetMoments: Sendable {
    /// Those of the inputs `u'`.
    public let inputs: LayerMoments
    /// `E[u' y^T]` `[D, T]`.
    public let cross: Matrix
    /// `E[y]` `[T]`.
    public let targetMean: [Double]
    /// `E|y|^2`.
    public let targetSquare: Double
}

extension Network {
    /// The value that one is added to, if that is all that becomes of it.
    fileprivate func addend(to value: String) -> String? {
        let users = nodes.filter { $0.inputs.contains(value) }
        guard users.count == 1, users[0].operation == .arithmetic(.add) || users[0].operation == .sum,
            users[0].inputs.count == 2, !outputs.contains(where: { $0.name == value }),
            let other = users[0].inputs.first(where: { $0 != value }) ?? nil
        else { return nil }
        return other
    }
}
