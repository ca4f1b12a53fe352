extension Network {
    /// Drops nodes whose outputs nobody reads, and then constants nobody reads.
    public mutating func removeDeadNodes() {
        var needed = Set(outputs.map(\.name))
        var kept: [Node] = []
        for node in nodes.reversed() where node.outputs.contains(where: { $0.map { needed.contains($0) } ?? false }) {
            for case let input? in node.inputs { needed.insert(input) }
            kept.append(node)
        }
        nodes = kept.reversed()
        constants = constants.filter { needed.contains($0.key) }
    }

    /// How many times each value is read, by nodes and as an output of the network.
    public func useCounts() -> [String: Int] {
        var counts: [String: Int] = [:]
        for output in outputs { counts[output.name, default: 0] += 1 }
        for node in nodes { for case let input? in node.inputs { counts[input, default: 0] += 1 } }
        return counts
    }
}
