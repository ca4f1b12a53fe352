extension Operator {
    /// What to call the operation in a table: `convolution 3x3 /2`.
    public var title: String {
        switch self {
        case .convolution(let convolution):
            let groups = convolution.groups > 1 ? " in \(convolution.groups) groups" : ""
            return "convolution \(Operator.text(convolution.window))\(groups)"
        case .maxPool(let pooling): return "max pool \(Operator.text(pooling.window))"
        case .averagePool(let pooling, _): return "average pool \(Operator.text(pooling.window))"
        case .batchNormalization: return "batch norm"
        case .activation(let activation): return Operator.text(activation)
        case .clip: return "clip"
        case .parametricRelu: return "prelu"
        case .globalAveragePool: return "global average pool"
        case .globalMaxPool: return "global max pool"
        case .reduceMean: return "mean"
        case .arithmetic(let arithmetic): return arithmetic.rawValue
        case .sum: return "sum"
        case .concat: return "concat"
        case .split: return "split"
        case .gemm: return "fully connected"
        case .matMul: return "matrix product"
        case .flatten: return "flatten"
        case .reshape: return "reshape"
        case .squeeze: return "squeeze"
        case .unsqueeze: return "unsqueeze"
        case .transpose: return "transpose"
        case .softmax(let softmax): return softmax.isLogarithmic ? "log softmax" : "softmax"
        case .localResponseNormalization: return "local response norm"
        case .dropout: return "dropout"
        case .identity: return "identity"
        case .constantOfShape: return "constant"
        case .shape: return "shape"
        case .gather: return "gather"
        case .slice: return "slice"
        case .cast(let type): return "cast to \(type)"
        case .pad: return "pad"
        case .expand: return "expand"
        case .equal: return "equal"
        case .select: return "select"
        case .quantizeLinear: return "quantize"
        case .dequantizeLinear: return "dequantize"
        case .dynamicQuantizeLinear: return "quantize dynamically"
        case .quantizedConvolution(let convolution): return "quantized \(Operator.convolution(convolution).title)"
        case .quantizedMatMul: return "quantized matrix product"
        case .integerConvolution(let convolution): return "integer \(Operator.convolution(convolution).title)"
        case .integerMatMul: return "integer matrix product"
        }
    }

    private static func text(_ window: Window) -> String {
        let kernel = window.kernel.map(String.init).joined(separator: "x")
        let strides =
            window.strides.contains { $0 != 1 } ? " /" + window.strides.map(String.init).joined(separator: "x") : ""
        return kernel + strides
    }

    private static func text(_ activation: Activation) -> String {
        switch activation {
        case .relu: "relu"
        case .leakyRelu: "leaky relu"
        case .sigmoid: "sigmoid"
        case .hardSigmoid: "hard sigmoid"
        case .hardSwish: "hard swish"
        case .tanh: "tanh"
        case .clip: "clip"
        }
    }
}
