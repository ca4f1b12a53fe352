import MartletNetworks
import MartletTensors

/// Which operations of a network run on integers, and which values are quantized for them.
///
/// A convolution or fully connected layer reads a quantized value and, if it is a convolution, leaves one; an activation that
/// clamps at zero belongs to the operation before it. Additions, poolings, concatenations and changes of shape are drawn in
/// where they lie between such layers. Values between which numbers are only moved or compared share one scale, so that
/// nothing is rounded twice.
public struct Placement: Sendable {
    /// The quantized values, each named after the value of the network that it stands for, in execution order.
    public private(set) var values: [String] = []
    /// The layers whose weights are quantized.
    public private(set) var layers: [WeightedLayer] = []
    /// The value that gives its name to those that share a scale.
    private var representatives: [String: String] = [:]

    private let network: Network
    private let types: [String: TensorType]
    private var consumers: [String: [Int]] = [:]
    private var chosen: Set<String> = []
    private var active: Set<Int> = []

    /// The placement for a simplified network; layers named in `excluded` stay in floating point.
    /// - Throws: ``NetworkError``.
    public init(_ network: Network, excluding excluded: Set<String> = []) throws {
        self.network = network
        types = try network.forOneImage().types
        for (index, node) in network.nodes.enumerated() {
            for case let input? in node.inputs { consumers[input, default: []].append(index) }
        }
        layers = network.weightedLayers().filter { !excluded.contains($0.name) && isQuantizable($0) }
        chooseValues()
        prune()
        let produced = network.inputs.map(\.name) + network.nodes.flatMap { $0.outputs.compactMap { $0 } }
        values = produced.filter(chosen.contains)
        share()
    }

    /// The value whose scale a value has: its own, or that of one it shares with.
    public func representative(of value: String) -> String { representatives[value] ?? value }

    /// The values that read with a scale, by the value that gives it its name, in execution order.
    public var groups: [(representative: String, members: [String])] {
        var order: [String] = []
        var members: [String: [String]] = [:]
        for value in values {
            let name = representative(of: value)
            if members[name] == nil { order.append(name) }
            members[name, default: []].append(value)
        }
        return order.map { ($0, members[$0] ?? []) }
    }

    /// Whether the node at `index` runs on integers.
    public func isInteger(_ index: Int) -> Bool { active.contains(index) }

    /// The value that an operation leaves once the clamp behind it is applied, and the node of that clamp.
    public func result(of index: Int) -> (value: String, clamp: Int?)? {
        guard let output = network.nodes[index].outputs.first.flatMap({ $0 }) else { return nil }
        if let readers = consumers[output], readers.count == 1,
            network.nodes[readers[0]].clampsAtZero(network.constants),
            !isOutput(output), let clamped = network.nodes[readers[0]].outputs.first.flatMap({ $0 })
        {
            return (clamped, readers[0])
        }
        return (output, nil)
    }

    /// Whether a node's result has no numbers that are not in its first input, but for zeros.
    private func keepsNumbers(_ node: Node) -> Bool {
        switch node.operation {
        case .maxPool, .globalMaxPool, .flatten, .reshape, .squeeze, .unsqueeze, .transpose, .slice:
            return node.outputs.count == 1
        case .pad(let mode):
            guard mode == .constant, let value = node.input(2) else { return true }
            guard let tensor = network.constants[value], tensor.elementType == .float32,
                tensor.shape.elementCount == 1
            else { return false }
            return tensor.withElements(of: Float.self) { $0[0] == 0 }
        default: return false
        }
    }

    // MARK: Which

    private func isOutput(_ value: String) -> Bool { network.outputs.contains { $0.name == value } }

    private func isQuantizable(_ layer: WeightedLayer) -> Bool {
        let node = network.nodes[layer.nodeIndex]
        guard let input = node.input(0), isFloat(input) else { return false }
        // Stacks of matrices are not what a laboratory has a place for.
        if case .fullyConnected = layer.kind, types[input]?.rank != 2 { return false }
        if let bias = node.input(2) {
            // One number an output: any other addend of a fully connected layer is more than a bias.
            guard let tensor = network.constants[bias], tensor.elementType == .float32,
                tensor.shape.elementCount == layer.outputs, tensor.shape.extents.last == layer.outputs
            else { return false }
        }
        return network.constants[layer.weight]?.withElements(of: Float.self) { $0.allSatisfy(\.isFinite) } ?? false
    }

    private func isFloat(_ value: String) -> Bool {
        network.constants[value] == nil && types[value]?.elementType == .float32
    }

    private mutating func chooseValues() {
        let weighted = Set(layers.map(\.nodeIndex))
        for (index, node) in network.nodes.enumerated() {
            let inputs = node.inputs.compactMap { $0 }
            switch node.operation {
            case _ where weighted.contains(index):
                if let input = node.input(0) { chosen.insert(input) }
            case .arithmetic(.add), .sum:
                guard inputs.count == 2, inputs.allSatisfy(isFloat), inputs.contains(where: chosen.contains),
                    types[inputs[0]] == types[inputs[1]]
                else { continue }
                chosen.formUnion(inputs)
            case .concat:
                guard inputs.allSatisfy(isFloat), inputs.contains(where: chosen.contains) else { continue }
                chosen.formUnion(inputs)
            case .averagePool, .globalAveragePool:
                guard let input = node.input(0), chosen.contains(input) else { continue }
            case _ where keepsNumbers(node):
                guard let input = node.input(0), chosen.contains(input) else { continue }
            default: continue
            }
            active.insert(index)
            if let result = result(of: index) { chosen.insert(result.value) }
        }
    }

    /// Leaves values in floating point that no integer operation reads, except what convolutions leave.
    private mutating func prune() {
        for (index, node) in network.nodes.enumerated().reversed() where active.contains(index) {
            guard let result = result(of: index) else { continue }
            let isRead = consumers[result.value, default: []].contains(where: active.contains)
            if isRead { continue }
            switch node.operation {
            // Runtimes recognise a convolution on integers by the quantization behind it.
            case .convolution: continue
            case .gemm, .matMul: chosen.remove(result.value)
            default:
                chosen.remove(result.value)
                // Nothing that follows is on integers: there is no use in rounding what goes in.
                active.remove(index)
            }
        }
        // What only floating-point operations read any more.
        for value in chosen {
            let isProduced = network.nodes.indices.contains { index in
                guard active.contains(index), case .convolution = network.nodes[index].operation else { return false }
                return result(of: index)?.value == value
            }
            if !isProduced, !consumers[value, default: []].contains(where: active.contains) { chosen.remove(value) }
        }
    }

    // MARK: Sharing

    private mutating func share() {
        func root(_ value: String) -> String {
            var value = value
            while let next = representatives[value] { value = next }
            return value
        }
        func join(_ a: String, _ b: String) {
            let (a, b) = (root(a), root(b))
            if a != b { representatives[b] = a }
        }
        for (index, node) in network.nodes.enumerated() where active.contains(index) {
            guard keepsNumbers(node) || node.operation.isConcatenation,
                let output = node.outputs.first.flatMap({ $0 }), chosen.contains(output)
            else { continue }
            for case let input? in node.inputs where chosen.contains(input) { join(input, output) }
        }
        for value in values { if root(value) != value { representatives[value] = root(value) } }
    }
}

extension Operator {
    fileprivate var isConcatenation: Bool { if case .concat = self { true } else { false } }
}

extension Node {
    /// Whether it is a ReLU, or a clamp to constant bounds from zero on.
    fileprivate func clampsAtZero(_ constants: [String: Tensor]) -> Bool {
        switch operation {
        case .activation(.relu): return true
        case .activation(.clip(let minimum, _)): return minimum == 0
        case .clip:
            guard let name = input(1), let tensor = constants[name], tensor.elementType == .float32,
                tensor.shape.elementCount == 1, input(2).map({ constants[$0] != nil }) ?? true
            else { return false }
            return tensor.withElements(of: Float.self) { $0[0] == 0 }
        default: return false
        }
    }
}
