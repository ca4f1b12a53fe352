import MartletInference
import MartletLinearAlgebra
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Gathers what the layers of two networks see of the same images, together: the input u of a network's layer and the
/// input u' of the layer of the same name in another network, a compressed one for instance.
///
/// The two inputs are taken for one of twice as many channels, whose second moment has `E[u u^T]`, `E[u' u'^T]` and the
/// cross moment `E[u' u^T]` as its blocks. That is what fitting a layer to its compressed surroundings needs: with the
/// original's output `y = W u + b`, `E[u' y^T] = E[u' u^T] W^T + E[u'] b^T`.
public final class JointGatherer {
    private let first: Executor
    private let second: Executor
    private let gatherers: [String: LayerGatherer]
    private let scratch = Scratch()
    private var steps = 0

    /// A gatherer of the layers that both networks have, with the same name, input channels and window.
    /// - Parameters:
    ///   - first: The network of u, as ``Network/simplified(keepingHalfWeights:)`` leaves it, with one input.
    ///   - second: The network of u', which takes the same input.
    ///   - wanted: Which of these layers; all unless told.
    /// - Throws: `NetworkError`, `InstructionSetError`.
    public init(
        first: Network, second: Network, pool: ThreadPool, layers wanted: (WeightedLayer) -> Bool = { _ in true }
    ) throws {
        for network in [first, second] where network.inputs.count != 1 {
            throw NetworkError.unsupported(
                node: network.name, reason: "statistics of a network with \(network.inputs.count) inputs")
        }
        self.first = try Executor(network: first, pool: pool, options: .showingLayers)
        self.second = try Executor(network: second, pool: pool, options: .showingLayers)
        let kernels = MomentKernels(try InstructionSet.chosen())
        let others = Dictionary(
            second.weightedLayers().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var gatherers: [String: LayerGatherer] = [:]
        for layer in first.weightedLayers() where wanted(layer) {
            guard let other = others[layer.name] else { continue }
            var (view, otherView) = (LayerGatherer.View(layer, in: first), LayerGatherer.View(other, in: second))
            (view.input, otherView.input) = ("", "")
            guard view == otherView else { continue }
            var joint = layer
            joint.inputs = try CheckedArithmetic.product([2, layer.inputs])
            gatherers[layer.name] = LayerGatherer(
                layer: joint, kernels: kernels, form: nil, imagesPerStep: StatisticsGatherer.imagesPerStep)
        }
        self.gatherers = gatherers
    }

    /// The names of the layers, sorted.
    public var layerNames: [String] { gatherers.keys.sorted() }

    /// Runs both networks over a batch `[n, C, H, W]` and adds what their layers see.
    /// - Throws: `NetworkError`, ``StatisticsError/nonFinite(layer:)``, ``StatisticsError/layerMismatch(name:expected:found:)``
    ///   if a layer's inputs have different shapes.
    public func add(_ batch: Tensor) throws {
        let names = Set(gatherers.keys)
        var inputs: [String: Tensor] = [:]
        let keeper = Observer(layers: names) { name, input in
            inputs[name] = try Tensor(elementType: input.elementType, shape: input.shape, bytes: input.bytes)
        }
        _ = try first.run([first.network.inputs[0].name: batch], observing: keeper)
        let joiner = Observer(layers: names) { [gatherers, scratch, steps] name, input in
            guard let gatherer = gatherers[name], let own = inputs[name] else { return }
            guard own.shape == input.shape else {
                throw StatisticsError.layerMismatch(name: name, expected: "\(own.shape)", found: "\(input.shape)")
            }
            let joint = try JointGatherer.joined(own, input, layer: gatherer.layer)
            try joint.withView { try gatherer.add($0, step: steps, scratch: scratch, pool: self.second.pool) }
        }
        _ = try second.run([second.network.inputs[0].name: batch], observing: joiner)
        steps += 1
    }

    /// The channels of two inputs, group by group those of the first and then those of the second.
    private static func joined(_ first: Tensor, _ second: TensorView, layer: WeightedLayer) throws -> Tensor {
        var extents = first.shape.extents
        let axis = layer.kernel.isEmpty ? extents.count - 1 : 1
        let pixels = extents[(axis + 1)...].reduce(1, *)
        let perGroup = extents[axis] / layer.groups * pixels
        extents[axis] *= 2
        var joint = try Tensor(zeros: try Shape(extents), elementType: .float32)
        let others = second.elements(of: Float.self)
        try first.withElements(of: Float.self) { own in
            try joint.withMutableElements(of: Float.self) { target in
                guard let own = own.baseAddress, let others = others.baseAddress, let target = target.baseAddress
                else { return }
                for group in 0..<first.shape.elementCount / max(1, perGroup) {
                    (target + 2 * group * perGroup).update(from: own + group * perGroup, count: perGroup)
                    (target + (2 * group + 1) * perGroup).update(from: others + group * perGroup, count: perGroup)
                }
            }
        }
        return joint
    }

    /// The moments of a layer's two inputs.
    /// - Throws: ``StatisticsError/missingLayer(name:)``, ``StatisticsError/empty``.
    public func moments(of layer: String) throws -> JointMoments {
        guard let gatherer = gatherers[layer] else { throw StatisticsError.missingLayer(name: layer) }
        let moments = try gatherer.moments(pool: second.pool)
        if moments.count == 0 { throw StatisticsError.empty }
        return JointMoments(moments: moments)
    }
}

/// The second moments of two inputs u and u' of a layer, and their cross moment.
public struct JointMoments: Sendable {
    let moments: LayerMoments

    /// `D`, the length of a patch of one group.
    public var patchSize: Int { moments.patchSize / 2 }
    /// The number of patches seen (of each group).
    public var count: Int { moments.count }

    /// `E[u u^T]` of a group, `D x D`.
    /// - Throws: `LinearAlgebraError`.
    public func first(group: Int = 0) throws -> Matrix { try block(group, row: 0, column: 0) }

    /// `E[u' u'^T]` of a group, `D x D`.
    /// - Throws: `LinearAlgebraError`.
    public func second(group: Int = 0) throws -> Matrix { try block(group, row: 1, column: 1) }

    /// `E[u' u^T]` of a group, `D x D`.
    /// - Throws: `LinearAlgebraError`.
    public func cross(group: Int = 0) throws -> Matrix { try block(group, row: 1, column: 0) }

    /// `E[u]` and `E[u']` of a group.
    public func means(group: Int = 0) -> (first: [Double], second: [Double]) {
        let mean = moments.mean(group: group)
        return (Array(mean[..<patchSize]), Array(mean[patchSize...]))
    }

    private func block(_ group: Int, row: Int, column: Int) throws -> Matrix {
        let whole = try moments.secondMoment(group: group)
        var elements: [Double] = []
        elements.reserveCapacity(patchSize * patchSize)
        for i in 0..<patchSize {
            let start = (row * patchSize + i) * moments.patchSize + column * patchSize
            elements += whole.elements[start..<start + patchSize]
        }
        return try Matrix(rows: patchSize, columns: patchSize, elements: elements)
    }
}
