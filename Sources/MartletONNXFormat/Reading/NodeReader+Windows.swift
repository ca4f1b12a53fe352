import MartletNetworks

extension NodeReader {
    /// A convolution whose weight is the input at `weight`.
    mutating func convolution(weight index: Int) throws -> Convolution {
        var kernel = try attributes.integers("kernel_shape")
        if kernel == nil, inputs.count > index, let weight = inputs[index] {
            guard let extents = known[weight]?.shape.extents ?? extents[weight], extents.count > 2 else {
                throw AttributeReader.Defect.unsupported("a convolution whose kernel is known only at run time")
            }
            kernel = Array(extents[2...])
        }
        let groups = try attributes.integer("group", default: 1)
        return Convolution(window: try window(kernel: kernel ?? []), groups: groups)
    }

    mutating func pooling() throws -> Pooling {
        guard let kernel = try attributes.integers("kernel_shape") else {
            throw AttributeReader.Defect.invalid("it has no kernel_shape")
        }
        let ceilMode = try attributes.flag("ceil_mode")
        return Pooling(window: try window(kernel: kernel), ceilMode: ceilMode)
    }

    private mutating func window(kernel: [Int]) throws -> Window {
        let strides = try attributes.integers("strides")
        let dilations = try attributes.integers("dilations")
        let pads = try attributes.integers("pads")
        let padding: Window.Padding
        switch try attributes.string("auto_pad", default: "NOTSET") {
        case "NOTSET", "":
            let pads = pads ?? [Int](repeating: 0, count: 2 * kernel.count)
            if pads.count != 2 * kernel.count {
                throw AttributeReader.Defect.invalid("\(pads.count) pads for a kernel \(kernel)")
            }
            padding = .explicit(before: Array(pads[..<kernel.count]), after: Array(pads[kernel.count...]))
        case "SAME_UPPER": padding = .sameUpper
        case "SAME_LOWER": padding = .sameLower
        case "VALID": padding = .valid
        case let other: throw AttributeReader.Defect.invalid("auto_pad '\(other)'")
        }
        return Window(kernel: kernel, strides: strides, dilations: dilations, padding: padding)
    }

    mutating func batchNormalization() throws -> Operator {
        attributes.ignore("momentum", "consumed_inputs", "is_test")
        if try !attributes.flag("spatial", default: true) {
            throw AttributeReader.Defect.unsupported("batch normalisation that is not per channel")
        }
        if try attributes.flag("training_mode") {
            throw AttributeReader.Defect.unsupported("batch normalisation in training mode")
        }
        return .batchNormalization(epsilon: try attributes.float("epsilon", default: 1e-5))
    }

    mutating func localResponseNormalization() throws -> Operator {
        let size = try attributes.integer("size", default: 0)
        if size < 1 || size > 1 << 24 { throw AttributeReader.Defect.invalid("size \(size)") }
        return .localResponseNormalization(
            LocalResponseNormalization(
                alpha: try attributes.float("alpha", default: 1e-4), beta: try attributes.float("beta", default: 0.75),
                bias: try attributes.float("bias", default: 1), size: size))
    }
}
