import MartletNetworks

extension QuantizedNetwork {
    /// Draws the sum of two values of bytes into the convolution that computes one of them.
    ///
    /// Its own rounding stays, as a first one: the results are those of the network as it is written.
    mutating func drawSumsIntoConvolutions() {
        let uses = network.useCounts()
        var producers: [String: Int] = [:]
        var removed: Set<Int> = []
        for index in network.nodes.indices {
            let node = network.nodes[index]
            defer { if let output = network.nodes[index].outputs.first, let output { producers[output] = index } }
            guard case .arithmetic(.add) = node.operation, let output = node.outputs.first, let output,
                let sum = layers[output], let left = node.input(0), let right = node.input(1)
            else { continue }
            // The later of two convolutions takes the sum: the other is finished by then.
            let candidates = [(left, right), (right, left)].compactMap { value, residual in
                uses[value] == 1 ? producers[value].map { (index: $0, value: value, residual: residual) } : nil
            }
            for candidate in candidates.sorted(by: { $0.index > $1.index }) {
                var fused = network.nodes[candidate.index]
                guard case .convolution(var convolution) = fused.operation, !convolution.addsResidual,
                    var layer = layers[candidate.value], layer.first == nil
                else { continue }
                convolution.addsResidual = true
                fused.operation = .convolution(convolution)
                while fused.inputs.count < 3 { fused.inputs.append(nil) }
                fused.inputs.append(candidate.residual)
                fused.outputs = [output]
                layer.first = layer.result
                layer.result = sum.result
                layers[candidate.value] = nil
                layers[output] = layer
                network.nodes[index] = fused
                removed.insert(candidate.index)
                break
            }
        }
        network.nodes = network.nodes.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
    }

    /// Brings the operands of concatenations to the scale of the result: where a convolution computes one for this alone, by a
    /// second rounding of it, and elsewhere by a layer of its own.
    mutating func alignConcatenations() {
        let uses = network.useCounts()
        let convolutions = network.nodes.reduce(into: Set<String>()) { found, node in
            if case .convolution(let convolution) = node.operation, !convolution.addsResidual,
                let output = node.outputs.first, let output
            {
                found.insert(output)
            }
        }
        var aligned: [Node] = []
        for original in network.nodes {
            var node = original
            if case .concat = node.operation, let output = node.outputs.first, let output, let whole = layers[output] {
                for (position, input) in node.inputs.enumerated() {
                    guard let input, quantizations[input] != whole.result.quantization else { continue }
                    if convolutions.contains(input), uses[input] == 1, var layer = layers[input], layer.first == nil {
                        layer.first = layer.result
                        layer.result = whole.result
                        layers[input] = layer
                        quantizations[input] = whole.result.quantization
                        let elementType = types[output]?.elementType ?? .uint8
                        types[input]?.elementType = elementType
                        continue
                    }
                    let dimensions = types[input]?.dimensions ?? []
                    let name = newValue("\(input).rescaled", types[output]?.elementType ?? .uint8, dimensions)
                    quantizations[name] = whole.result.quantization
                    layers[name] = QuantizedLayer(result: whole.result)
                    aligned.append(Node(name: node.name, operation: .clip, inputs: [input], outputs: [name]))
                    node.inputs[position] = name
                }
            }
            aligned.append(node)
        }
        network.nodes = aligned
    }
}
