import MartletNetworks

extension Network {
    /// The network up to its scores before softmax, where it ends in one: the loss takes them.
    func withoutFinalSoftmax() throws -> Network {
        guard let output = outputs.first,
            let index = nodes.firstIndex(where: { $0.outputs.first == output.name }),
            case .softmax(let softmax) = nodes[index].operation, let scores = nodes[index].input(0),
            softmax.axis == 1 || softmax.axis == -1 || softmax.flattensTrailingAxes
        else { return self }
        var result = self
        result.nodes.remove(at: index)
        result.outputs = [Value(name: scores, type: output.type)]
        result.removeDeadNodes()
        return try result.validated()
    }
}
