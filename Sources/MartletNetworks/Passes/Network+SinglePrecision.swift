import MartletTensors

extension Network {
    /// The network with every half- and double-precision value turned to single precision, which is what Martlet computes
    /// in; integers and booleans stay, and if wanted so do the weights that ``halfWeights()`` names, and those of layers that
    /// are in half precision altogether.
    public func inSinglePrecision(keepingHalfWeights: Bool = false) throws -> Network {
        func isOther(_ type: ElementType) -> Bool { type == .float16 || type == .float64 }
        var result = self
        if keepingHalfWeights { result.castHalfWeights() }
        let halves = keepingHalfWeights ? Set(result.halfWeights().values) : []
        for (name, tensor) in result.constants where isOther(tensor.elementType) && !halves.contains(name) {
            result.constants[name] = try tensor.converted(to: .float32)
        }
        for index in result.inputs.indices where isOther(result.inputs[index].type.elementType) {
            result.inputs[index].type.elementType = .float32
        }
        for index in result.outputs.indices where isOther(result.outputs[index].type.elementType) {
            result.outputs[index].type.elementType = .float32
        }
        for index in result.nodes.indices {
            switch result.nodes[index].operation {
            case .cast(let type) where isOther(type):
                result.nodes[index].operation = .cast(to: .float32)
            case .constantOfShape(let value) where isOther(value.elementType):
                result.nodes[index].operation = .constantOfShape(value: try value.converted(to: .float32))
            default: break
            }
        }
        return result
    }
}
