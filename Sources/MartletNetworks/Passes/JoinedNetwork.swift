import MartletTensors

/// A network in which layers that read the same value with the same window are one layer, whose output is cut up again.
///
/// What several layers make of the same channels is best approximated together: a shared factor in front serves all. The
/// layers of an Inception block are such siblings.
public struct JoinedNetwork: Sendable {
    /// The layers that became one.
    public struct Family: Sendable, Equatable {
        /// The name of the one: the first member's.
        public var name: String
        /// The layers, in execution order.
        public var members: [String]
        /// The value that is cut up.
        fileprivate var output: String
    }

    /// The network; what members put out has its old name.
    public private(set) var network: Network
    /// The layers that were joined, by the name of what they became.
    public private(set) var families: [String: Family] = [:]

    /// Joins the 1x1 convolutions with constant weights and biases that read the same value, and that `isWanted` lets.
    /// - Parameter network: with unique names, as ``Network/simplified(keepingHalfWeights:)`` leaves it.
    /// - Throws: `TensorError`.
    public init(_ network: Network, where isWanted: (WeightedLayer) -> Bool) throws {
        self.network = network
        struct Key: Hashable {
            let input: String
            let convolution: Convolution
        }
        var siblings: [Key: [WeightedLayer]] = [:]
        for layer in network.weightedLayers() where isWanted(layer) {
            let node = network.nodes[layer.nodeIndex]
            guard case .convolution(let convolution) = layer.kind, layer.groups == 1,
                layer.kernel.allSatisfy({ $0 == 1 }), let input = node.input(0),
                layer.bias.map({ network.constants[$0]?.elementType == .float32 }) ?? true
            else { continue }
            siblings[Key(input: input, convolution: convolution), default: []].append(layer)
        }
        var names = UnusedNames(taken: network.valueNames.union(network.nodes.map(\.name)))
        var replaced: [Int: [Node]] = [:]
        for members in siblings.values.filter({ $0.count > 1 }).sorted(by: { $0[0].nodeIndex < $1[0].nodeIndex }) {
            let first = members[0]
            let node = network.nodes[first.nodeIndex]
            var weights: [Float] = []
            var biases: [Float] = []
            for member in members {
                weights += try network.constants[member.weight]?.elements(Float.self) ?? []
                biases +=
                    try member.bias.flatMap { network.constants[$0] }?.elements(Float.self)
                    ?? [Float](repeating: 0, count: member.outputs)
            }
            let (weight, bias, output) = (
                names.take("\(first.weight).joined"), names.take("\(first.weight).joined_bias"),
                names.take("\(first.name).joined")
            )
            let count = members.reduce(0) { $0 + $1.outputs }
            self.network.constants[weight] = try Tensor(
                weights, shape: try Shape([count, first.inputs] + first.kernel))
            self.network.constants[bias] = try Tensor(biases, shape: try Shape([count]))
            var nodes = [
                Node(
                    name: first.name, operation: node.operation, inputs: [node.inputs[0], weight, bias],
                    outputs: [output])
            ]
            func numbers(_ value: Int) throws -> String {
                let name = names.take("\(first.name).cut")
                self.network.constants[name] = try Tensor([Int64(value)], shape: try Shape([1]))
                return name
            }
            var start = 0
            for member in members {
                nodes.append(
                    Node(
                        name: names.take("\(member.name).cut"), operation: .slice,
                        inputs: [output, try numbers(start), try numbers(start + member.outputs), try numbers(1)],
                        outputs: network.nodes[member.nodeIndex].outputs))
                start += member.outputs
                replaced[member.nodeIndex] = []
            }
            replaced[first.nodeIndex] = nodes
            families[first.name] = Family(name: first.name, members: members.map(\.name), output: output)
        }
        self.network.nodes = network.nodes.enumerated().flatMap { replaced[$0] ?? [$1] }
        self.network.removeDeadNodes()
    }

    /// A network made of the joined one by replacing layers, in which every member puts out its own part again: the last layer of a
    /// chain is cut up in place of its output. A member's layer is called as the whole's, with the member's name.
    /// - Throws: `TensorError`.
    public func split(_ network: Network) throws -> Network {
        var result = network
        var names = UnusedNames(taken: network.valueNames.union(network.nodes.map(\.name)))
        let layers = Dictionary(
            network.weightedLayers().map { (network.nodes[$0.nodeIndex].outputs[0] ?? "", $0) }
        ) { first, _ in first }
        var replaced: [Int: [Node]] = [:]
        for family in families.values.sorted(by: { $0.name < $1.name }) {
            guard let layer = layers[family.output], let weight = network.constants[layer.weight] else { continue }
            let node = network.nodes[layer.nodeIndex]
            let bias = layer.bias.flatMap { network.constants[$0] }
            let suffix = node.name.dropFirst(family.name.count)
            let cuts = network.nodes.enumerated().filter { $0.element.input(0) == family.output }
            for (member, cut) in zip(family.members, cuts) {
                guard let rows = try cut.element.rows(in: network) else { continue }
                let (weightName, biasName) = (
                    names.take("\(member)\(suffix).weight"), names.take("\(member)\(suffix).bias")
                )
                let size = layer.patchSize
                result.constants[weightName] = try Tensor(
                    Array(weight.elements(Float.self)[rows.lowerBound * size..<rows.upperBound * size]),
                    shape: try Shape([rows.count] + weight.shape.extents.dropFirst()))
                var inputs = [node.inputs[0], weightName]
                if let bias {
                    result.constants[biasName] = try Tensor(
                        Array(bias.elements(Float.self)[rows]), shape: try Shape([rows.count]))
                    inputs.append(biasName)
                }
                replaced[cut.offset] = [
                    Node(
                        name: "\(member)\(suffix)", operation: node.operation, inputs: inputs,
                        outputs: cut.element.outputs)
                ]
            }
            replaced[layer.nodeIndex] = []
        }
        result.nodes = network.nodes.enumerated().flatMap { replaced[$0] ?? [$1] }
        result.removeDeadNodes()
        return result
    }
}

extension Node {
    /// The channels that a cut takes.
    fileprivate func rows(in network: Network) throws -> Range<Int>? {
        guard operation == .slice,
            let start = try input(1).flatMap({ network.constants[$0] })?.elements(Int64.self).first,
            let end = try input(2).flatMap({ network.constants[$0] })?.elements(Int64.self).first, start <= end
        else { return nil }
        return Int(start)..<Int(end)
    }
}
