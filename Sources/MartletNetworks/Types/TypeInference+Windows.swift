import MartletTensors

extension TypeInference {
    /// The result of a convolution of input 0 with the inputs at these places; `bias` may be none.
    func convolution(_ convolution: Convolution, weight: Int, bias: Int?) throws -> TensorType {
        let window = convolution.window
        let input = try type(0, rank: 3...)
        let weight = try type(weight, rank: input.rank...input.rank)
        if let defect = window.defect { throw invalid(defect) }
        if window.rank != input.rank - 2 { throw invalid("a kernel \(window.kernel) does not fit an input \(input)") }
        let groups = convolution.groups
        guard groups >= 1 else { throw invalid("\(groups) groups") }
        if let extents = weight.extents {
            if Array(extents[2...]) != window.kernel {
                throw invalid("the weight \(extents) does not have the kernel \(window.kernel)")
            }
            if extents[0] < 1 || extents[1] < 1 { throw invalid("the weight \(extents) is empty") }
            if extents[0] % groups != 0 { throw invalid("\(extents[0]) outputs do not divide into \(groups) groups") }
            if let channels = input.dimensions[1].value,
                channels % groups != 0 || channels / groups != extents[1]
            {
                throw invalid("an input of \(channels) channels in \(groups) groups does not fit the weight \(extents)")
            }
            if let bias, has(bias), let bias = try type(bias, rank: 1...1).dimensions[0].value, bias != extents[0] {
                throw invalid("a bias of \(bias) does not fit \(extents[0]) outputs")
            }
        }
        let spatial = try self.spatial(window, input: input, ceilMode: false)
        return TensorType(input.elementType, [input.dimensions[0], weight.dimensions[0]] + spatial)
    }

    func pooling(_ pooling: Pooling) throws -> TensorType {
        let input = try type(0, rank: 3...)
        if let defect = pooling.window.defect { throw invalid(defect) }
        if pooling.window.rank != input.rank - 2 {
            throw invalid("a window \(pooling.window.kernel) does not fit an input \(input)")
        }
        let spatial = try self.spatial(pooling.window, input: input, ceilMode: pooling.ceilMode)
        return TensorType(input.elementType, input.dimensions[..<2] + spatial)
    }

    func globalPooling() throws -> TensorType {
        let input = try type(0, rank: 3...)
        let ones = [Extent](repeating: .fixed(1), count: input.rank - 2)
        return TensorType(input.elementType, input.dimensions[..<2] + ones)
    }

    func perChannel() throws -> TensorType {
        let input = try type(0, rank: 2...)
        for index in 1...4 {
            let parameter = try type(index, rank: 1...1)
            if let channels = input.dimensions[1].value, let count = parameter.dimensions[0].value, count != channels {
                throw invalid("input \(index) has \(count) elements for \(channels) channels")
            }
        }
        return input
    }

    private func spatial(_ window: Window, input: TensorType, ceilMode: Bool) throws -> [Extent] {
        try (0..<window.rank).map { axis in
            guard let extent = input.dimensions[2 + axis].value else { return .unknown }
            let output = window.outputExtent(axis: axis, extent: extent, ceilMode: ceilMode)
            if output < 1 { throw invalid("an input \(input) is too small for the window \(window.kernel)") }
            return .fixed(output)
        }
    }
}
