extension Network {
    /// The network as Martlet works on it: single precision, constants folded, batch normalisations folded into
    /// convolutions, identities and dead nodes gone, a name of its own for each node, types declared for its outputs.
    ///
    /// What it computes is the same up to rounding, and so are the names of inputs, outputs and remaining nodes.
    /// - Parameter keepingHalfWeights: Whether weights that the file has in half precision stay in it behind a cast
    ///   (``halfWeights()``), for execution only: what looks into weights wants them as they are otherwise. Where a batch
    ///   normalisation is to be folded into weights, all are widened.
    /// - Throws: ``NetworkError``.
    public func simplified(keepingHalfWeights: Bool = false) throws -> Network {
        let normalizes = nodes.contains { if case .batchNormalization = $0.operation { true } else { false } }
        let folded = try inSinglePrecision(keepingHalfWeights: keepingHalfWeights && !normalizes).folded()
        var network = folded.network
        network.removeIdentities()
        try network.foldBatchNormalizations()
        network.removeDeadNodes()
        network.nameNodes()
        for index in network.outputs.indices {
            let declared = network.outputs[index].type
            if let inferred = folded.types[network.outputs[index].name],
                inferred.rank != declared.rank
                    || inferred.dimensions.contains(where: { $0.value != nil })
            {
                network.outputs[index].type.elementType = inferred.elementType
                // A declared name is kept where inference knows no number.
                network.outputs[index].type.dimensions = inferred.dimensions.enumerated().map { axis, dimension in
                    dimension == .unknown && axis < declared.rank ? declared.dimensions[axis] : dimension
                }
            }
        }
        return network
    }
}
