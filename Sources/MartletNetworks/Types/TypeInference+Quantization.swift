import MartletTensors

extension TypeInference {
    func quantizeLinear(axis: Int, type fallback: ElementType) throws -> TensorType {
        let input = try type(0)
        if !input.elementType.isFloatingPoint, input.elementType != .int32 {
            throw invalid("it quantizes \(input.elementType)")
        }
        try checkScale(1, zeroPoint: 2, of: input, axis: axis)
        let target = try has(2) ? type(2).elementType : fallback
        if ![.int8, .uint8, .int16, .uint16].contains(target) { throw invalid("it quantizes to \(target)") }
        return TensorType(target, input.dimensions)
    }

    func dequantizeLinear(axis: Int) throws -> TensorType {
        let input = try type(0)
        if ![.int8, .uint8, .int16, .uint16, .int32].contains(input.elementType) {
            throw invalid("it dequantizes \(input.elementType)")
        }
        if has(2), try type(2).elementType != input.elementType {
            throw invalid("the zero point is \(try type(2).elementType), not \(input.elementType)")
        }
        try checkScale(1, zeroPoint: 2, of: input, axis: axis)
        return TensorType(try type(1).elementType, input.dimensions)
    }

    func quantizedConvolution(_ convolution: Convolution) throws -> TensorType {
        try checkQuantizedOperands()
        if has(8), try type(8).elementType != .int32 { throw invalid("the bias is \(try type(8).elementType)") }
        let result = try self.convolution(convolution, weight: 3, bias: 8)
        return TensorType(try type(7).elementType, result.dimensions)
    }

    func quantizedMatMul() throws -> TensorType {
        try checkQuantizedOperands()
        return TensorType(try type(7).elementType, try matMul(0, 3).dimensions)
    }

    func integerConvolution(_ convolution: Convolution) throws -> TensorType {
        try checkIntegers(0, zeroPoint: 2)
        try checkIntegers(1, zeroPoint: 3)
        return TensorType(.int32, try self.convolution(convolution, weight: 1, bias: nil).dimensions)
    }

    func integerMatMul() throws -> TensorType {
        try checkIntegers(0, zeroPoint: 2)
        try checkIntegers(1, zeroPoint: 3)
        return TensorType(.int32, try matMul(0, 1).dimensions)
    }

    // MARK: What they have in common

    /// A scale is one number, or a vector of as many as the axis is long; a zero point is like its scale.
    private func checkScale(_ scale: Int, zeroPoint: Int, of input: TensorType, axis: Int) throws {
        let scale = try type(scale)
        if !scale.elementType.isFloatingPoint { throw invalid("the scale is \(scale.elementType)") }
        if scale.rank > 1 {
            throw NetworkError.unsupported(node: node.label, reason: "a scale \(scale), for blocks of elements")
        }
        if has(zeroPoint), let count = scale.dimensions.first?.value ?? (scale.rank == 0 ? 1 : nil) {
            let zeroPoint = try type(zeroPoint, rank: 0...1)
            if let other = zeroPoint.dimensions.first?.value ?? (zeroPoint.rank == 0 ? 1 : nil), other != count {
                throw invalid("\(other) zero points for \(count) scales")
            }
        }
        guard scale.rank == 1, let count = scale.dimensions[0].value, count != 1 else { return }
        let extent = input.dimensions[try self.axis(axis, rank: input.rank)]
        if let extent = extent.value, extent != count { throw invalid("\(count) scales for an axis of \(extent)") }
    }

    /// Two values of 8 bits, each followed by its scale and zero point, and scale and zero point of the result.
    private func checkQuantizedOperands() throws {
        try checkIntegers(0, zeroPoint: 2)
        try checkIntegers(3, zeroPoint: 5)
        for scale in [1, 4, 6] where try type(scale).elementType != .float32 {
            throw invalid("the scale \(scale) is \(try type(scale).elementType), not float32")
        }
        let zeroPoint = try type(7).elementType
        if zeroPoint != .int8, zeroPoint != .uint8 { throw invalid("the result's zero point is \(zeroPoint)") }
    }

    private func checkIntegers(_ value: Int, zeroPoint: Int) throws {
        let elementType = try type(value).elementType
        if elementType != .int8, elementType != .uint8 { throw invalid("input \(value) is \(elementType)") }
        if has(zeroPoint), try type(zeroPoint).elementType != elementType {
            throw invalid("the zero point \(zeroPoint) is \(try type(zeroPoint).elementType), not \(elementType)")
        }
    }
}
