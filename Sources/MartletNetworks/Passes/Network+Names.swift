extension Network {
    /// Gives every node a name of its own; names that are already so stay.
    public mutating func nameNodes() {
        var taken: Set<String> = []
        for index in nodes.indices {
            let node = nodes[index]
            var wish = node.name
            if wish.isEmpty { wish = node.outputs.compactMap { $0 }.first ?? "node" }
            let name = unusedName(wish, among: taken)
            taken.insert(name)
            nodes[index].name = name
        }
    }
}
