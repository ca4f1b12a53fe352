import MartletTensors

/// A trained network as a value: a graph of nodes over named values.
///
/// Every value is produced once: by an input, a constant or a node. Nodes stand in an order in which each comes after
/// those it reads from (``validated()`` sees to it).
public struct Network: Equatable, Sendable {
    /// An input or output with its type.
    public struct Value: Hashable, Sendable {
        /// The name.
        public var name: String
        /// Element type and shape, with symbols for what varies.
        public var type: TensorType

        /// A named value.
        public init(name: String, type: TensorType) {
            self.name = name
            self.type = type
        }
    }

    /// The network's own name.
    public var name: String
    /// What is fed in.
    public var inputs: [Value]
    /// What comes out.
    public var outputs: [Value]
    /// The computation, in execution order.
    public var nodes: [Node]
    /// Weights and other tensors known in advance, by name.
    public var constants: [String: Tensor]
    /// Free properties that travel with the file, in order; Martlet's own begin with `martlet.`.
    public var metadata: [Property]
    /// A text for people.
    public var documentation: String

    /// A property of the network.
    public struct Property: Hashable, Sendable {
        /// The key.
        public var key: String
        /// The value.
        public var value: String

        /// A property.
        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// A network of these parts.
    public init(
        name: String, inputs: [Value], outputs: [Value], nodes: [Node], constants: [String: Tensor] = [:],
        metadata: [Property] = [], documentation: String = ""
    ) {
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.nodes = nodes
        self.constants = constants
        self.metadata = metadata
        self.documentation = documentation
    }

    /// The property of a key; setting replaces or appends it, `nil` removes it.
    public subscript(metadata key: String) -> String? {
        get { metadata.first { $0.key == key }?.value }
        set {
            if let index = metadata.firstIndex(where: { $0.key == key }) {
                if let newValue { metadata[index].value = newValue } else { metadata.remove(at: index) }
            } else if let newValue {
                metadata.append(Property(key: key, value: newValue))
            }
        }
    }
}

/// One step of the computation.
public struct Node: Equatable, Sendable {
    /// The name, for people; need not be unique.
    public var name: String
    /// What is computed.
    public var operation: Operator
    /// The values read, in the operation's order; `nil` for one left out.
    public var inputs: [String?]
    /// The values produced, in the operation's order; `nil` for one left out.
    public var outputs: [String?]

    /// A step.
    public init(name: String, operation: Operator, inputs: [String?], outputs: [String?]) {
        self.name = name
        self.operation = operation
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The name of the input at `index`, `nil` if it is left out.
    public func input(_ index: Int) -> String? { index < inputs.count ? inputs[index] : nil }

    /// What to call the node in a message: its name, or its first output.
    public var label: String {
        if !name.isEmpty { return "'\(name)'" }
        return outputs.compactMap { $0 }.first.map { "of '\($0)'" } ?? "without a name"
    }
}

extension Network {
    /// The network with its nodes in execution order, checked to be whole: every value defined once, before it is used.
    /// - Throws: ``NetworkError``.
    public func validated() throws -> Network {
        var defined = Set(constants.keys)
        for input in inputs where !defined.insert(input.name).inserted {
            throw NetworkError.duplicateValue(name: input.name)
        }
        var producers: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for case let output? in node.outputs {
                if defined.contains(output) || producers.updateValue(index, forKey: output) != nil {
                    throw NetworkError.duplicateValue(name: output)
                }
            }
        }
        for node in nodes {
            for case let input? in node.inputs where !defined.contains(input) && producers[input] == nil {
                throw NetworkError.undefinedValue(name: input, user: "node \(node.label)")
            }
        }
        for output in outputs where !defined.contains(output.name) && producers[output.name] == nil {
            throw NetworkError.undefinedValue(name: output.name, user: "the output list")
        }
        var result = self
        result.nodes = try sorted(producers: producers)
        return result
    }

    /// The nodes in execution order, as close to the given one as that allows.
    private func sorted(producers: [String: Int]) throws -> [Node] {
        var waitsFor = nodes.map { node in Set(node.inputs.compactMap { $0.flatMap { producers[$0] } }) }
        if waitsFor.enumerated().allSatisfy({ index, set in set.allSatisfy { $0 < index } }) { return nodes }
        var users: [Int: [Int]] = [:]
        for (index, set) in waitsFor.enumerated() { for producer in set { users[producer, default: []].append(index) } }
        var ready = nodes.indices.filter { waitsFor[$0].isEmpty }
        var order: [Int] = []
        var next = 0
        while next < ready.count {
            let index = ready[next]
            next += 1
            order.append(index)
            for user in users[index] ?? [] {
                waitsFor[user].remove(index)
                if waitsFor[user].isEmpty { ready.append(user) }
            }
        }
        if order.count < nodes.count {
            // Those that only read from the cycle are not to blame: they go, from the last on.
            var stuck = Set(nodes.indices).subtracting(order)
            var stuckUsers = stuck.reduce(into: [Int: Int]()) { $0[$1] = users[$1]?.filter(stuck.contains).count ?? 0 }
            var blameless = stuck.filter { stuckUsers[$0] == 0 }
            while let index = blameless.popFirst() {
                stuck.remove(index)
                for producer in waitsFor[index] {
                    stuckUsers[producer, default: 0] -= 1
                    if stuckUsers[producer] == 0 { blameless.insert(producer) }
                }
            }
            throw NetworkError.cycle(nodes: stuck.sorted().prefix(8).map { nodes[$0].label })
        }
        return order.map { nodes[$0] }
    }
}
