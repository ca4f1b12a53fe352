extension Network {
    /// Drops identities and dropouts; those who read their output read their input instead.
    ///
    /// An identity between an input or constant and an output of the network stays, since the output's name must.
    public mutating func removeIdentities() {
        var renamed: [String: String] = [:]
        let outputNames = Set(outputs.map(\.name))
        let producers = Set(nodes.flatMap { $0.outputs.compactMap { $0 } })
        var uses = useCounts()
        var kept: [Node] = []
        var outputsOfProducers: [String: String] = [:]
        for var node in nodes {
            node.inputs = node.inputs.map { $0.map { renamed[$0] ?? $0 } }
            guard node.isIdentity(uses: uses), let input = node.input(0), let output = node.outputs.first, let output
            else {
                kept.append(node)
                continue
            }
            if !outputNames.contains(output) {
                renamed[output] = input
                uses[input, default: 0] += (uses[output] ?? 0) - 1
            } else if producers.contains(input), !outputNames.contains(input), outputsOfProducers[input] == nil {
                // The producer takes over the output's name, and everyone else follows.
                outputsOfProducers[input] = output
                renamed[input] = output
            } else {
                kept.append(node)
            }
        }
        if !outputsOfProducers.isEmpty {
            for index in kept.indices {
                kept[index].outputs = kept[index].outputs.map { $0.map { outputsOfProducers[$0] ?? $0 } }
                kept[index].inputs = kept[index].inputs.map { $0.map { outputsOfProducers[$0] ?? $0 } }
            }
        }
        nodes = kept
    }
}

extension Node {
    fileprivate func isIdentity(uses: [String: Int]) -> Bool {
        switch operation {
        case .identity: true
        case .dropout: outputs.count < 2 || outputs[1].map { uses[$0, default: 0] == 0 } ?? true
        default: false
        }
    }
}
