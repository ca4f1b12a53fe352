import MartletNetworks
import MartletTensors

extension NodeReader {
    /// Before opset 7 broadcasting had to be asked for, and could be along leading axes.
    mutating func broadcasting(_ operation: Operator) throws -> Operator {
        if opset < 7 {
            attributes.ignore("broadcast", "consumed_inputs")
            if try attributes.optionalInteger("axis") != nil {
                throw AttributeReader.Defect.unsupported("broadcasting along an axis, as before opset 7")
            }
        }
        return operation
    }

    mutating func clip() throws -> Operator {
        if opset < 11 {
            attributes.ignore("consumed_inputs")
            let bounds = [
                ("minimum", try attributes.optionalFloat("min")), ("maximum", try attributes.optionalFloat("max")),
            ]
            for (index, bound) in bounds.enumerated() {
                guard let value = bound.1 else { continue }
                try append(try Tensor([value], shape: []), at: index + 1, called: bound.0)
            }
        }
        return .clip
    }

    mutating func gemm() throws -> Operator {
        if opset < 7 { attributes.ignore("broadcast") }
        return .gemm(
            Gemm(
                alpha: try attributes.float("alpha", default: 1), beta: try attributes.float("beta", default: 1),
                transposesA: try attributes.flag("transA"), transposesB: try attributes.flag("transB")))
    }

    mutating func reduceMean() throws -> Operator {
        let keepsAxes = try attributes.flag("keepdims", default: true)
        if opset < 18 {
            try append(try attributes.integers("axes"), at: 1, called: "axes")
            return .reduceMean(keepsAxes: keepsAxes, keepsInputIfNoAxes: false)
        }
        return .reduceMean(
            keepsAxes: keepsAxes, keepsInputIfNoAxes: try attributes.flag("noop_with_empty_axes"))
    }

    mutating func softmax(isLogarithmic: Bool) throws -> Operator {
        let axis = try attributes.integer("axis", default: opset < 13 ? 1 : -1)
        return .softmax(Softmax(axis: axis, isLogarithmic: isLogarithmic, flattensTrailingAxes: opset < 13))
    }
}
