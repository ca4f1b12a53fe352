extension Network {
    /// A name for each node, in order, that no other node has: its own where that is unique, else its first output's.
    public var layerNames: [String] {
        var counts: [String: Int] = [:]
        for node in nodes { counts[node.name, default: 0] += 1 }
        var names = UnusedNames(taken: Set(nodes.map(\.name).filter { counts[$0] == 1 }))
        return nodes.map { node in
            if !node.name.isEmpty, counts[node.name] == 1 { return node.name }
            return names.take(node.outputs.compactMap { $0 }.first ?? "node")
        }
    }

    /// Gives every node its name among ``layerNames``, which it then keeps whatever becomes of its outputs.
    public mutating func nameNodes() {
        for (index, name) in layerNames.enumerated() { nodes[index].name = name }
    }
}
