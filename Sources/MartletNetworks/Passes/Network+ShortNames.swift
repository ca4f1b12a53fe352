extension Network {
    /// Gives every value but the inputs and outputs a name of as few letters as there can be, the shortest to those that are
    /// named most often, and takes the names of nodes that are not layers: a file repeats a value's name wherever it is read,
    /// and in a small network's file the names would be a tenth of the whole.
    public mutating func shortenNames() {
        var kept = Set(inputs.map(\.name)).union(outputs.map(\.name))
        var order: [String] = []
        var counts: [String: Int] = [:]
        func count(_ value: String?) {
            guard let value, !kept.contains(value) else { return }
            if counts.updateValue((counts[value] ?? 0) + 1, forKey: value) == nil { order.append(value) }
        }
        for node in nodes { (node.inputs + node.outputs).forEach(count) }
        // A constant's name is written once more.
        for name in constants.keys where counts[name] != nil { count(name) }
        kept.formUnion(constants.keys.filter { counts[$0] == nil })
        // Those that are named as often keep the order of their first use.
        let ranked = order.enumerated().sorted { a, b in
            let (first, second) = (counts[a.element] ?? 0, counts[b.element] ?? 0)
            return first == second ? a.offset < b.offset : first > second
        }
        var names: [String: String] = [:]
        var number = 0
        for (_, value) in ranked {
            repeat {
                names[value] = Network.letters(number)
                number += 1
            } while !kept.insert(names[value] ?? "").inserted
        }
        func short(_ value: String?) -> String? { value.map { names[$0] ?? $0 } }
        for index in nodes.indices {
            nodes[index].inputs = nodes[index].inputs.map(short)
            nodes[index].outputs = nodes[index].outputs.map(short)
            switch nodes[index].operation {
            case .convolution, .gemm, .matMul: continue
            default: nodes[index].name = ""
            }
        }
        constants = Dictionary(uniqueKeysWithValues: constants.map { (short($0.key) ?? $0.key, $0.value) })
    }

    /// a, b, ..., z, A, ..., Z, aa, ab, ...
    private static func letters(_ number: Int) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        var (text, rest) = ("", number)
        repeat {
            text = String(alphabet[rest % alphabet.count]) + text
            rest = rest / alphabet.count - 1
        } while rest >= 0
        return text
    }
}
