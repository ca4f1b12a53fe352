import MartletTensors

extension Evaluation {
    func quantizeLinear(axis: Int) throws {
        let x = try input(0)
        let output = try output()
        try check(output, output.elementType, x.shape.extents)
        let parameters = try QuantizationParameters(self, x: x, axis: axis, type: output.elementType)
        func quantize<Source: TensorElement, Target: TensorElement & FixedWidthInteger>(
            _: Source.Type, _: Target.Type, _ value: (Source) -> Float
        ) {
            let (source, target) = (x.elements(of: Source.self), output.elements(of: Target.self))
            parameters.forEachRun { run, scale, zeroPoint in
                let quantizer = Quantizer<Target>(scale: scale, zeroPoint: zeroPoint)
                for i in run { target[i] = quantizer.quantized(value(source[i])) }
            }
        }
        func quantize<Target: TensorElement & FixedWidthInteger>(to: Target.Type) throws {
            switch x.elementType {
            case .float32: quantize(Float.self, Target.self) { $0 }
            case .float16: quantize(Float16.self, Target.self) { Float($0) }
            case .float64: quantize(Double.self, Target.self) { Float($0) }
            case .int32: quantize(Int32.self, Target.self) { Float($0) }
            default: throw invalid("it quantizes \(x.elementType)")
            }
        }
        switch output.elementType {
        case .int8: try quantize(to: Int8.self)
        case .uint8: try quantize(to: UInt8.self)
        case .int16: try quantize(to: Int16.self)
        case .uint16: try quantize(to: UInt16.self)
        default: throw invalid("it quantizes to \(output.elementType)")
        }
    }

    func dequantizeLinear(axis: Int) throws {
        let x = try input(0)
        let output = try output()
        try check(output, try input(1).elementType, x.shape.extents)
        let parameters = try QuantizationParameters(self, x: x, axis: axis, type: x.elementType)
        func dequantize<Source: TensorElement & FixedWidthInteger, Target: TensorElement & BinaryFloatingPoint>(
            _: Source.Type, _: Target.Type
        ) {
            let (source, target) = (x.elements(of: Source.self), output.elements(of: Target.self))
            parameters.forEachRun { run, scale, zeroPoint in
                // In 64 bits: the difference of two 32-bit numbers may need one more.
                for i in run { target[i] = Target(Float(Int64(source[i]) - zeroPoint) * scale) }
            }
        }
        func dequantize<Target: TensorElement & BinaryFloatingPoint>(to: Target.Type) throws {
            switch x.elementType {
            case .int8: dequantize(Int8.self, Target.self)
            case .uint8: dequantize(UInt8.self, Target.self)
            case .int16: dequantize(Int16.self, Target.self)
            case .uint16: dequantize(UInt16.self, Target.self)
            case .int32: dequantize(Int32.self, Target.self)
            default: throw invalid("it dequantizes \(x.elementType)")
            }
        }
        switch output.elementType {
        case .float32: try dequantize(to: Float.self)
        case .float16: try dequantize(to: Float16.self)
        case .float64: try dequantize(to: Double.self)
        default: throw invalid("it dequantizes to \(output.elementType)")
        }
    }

    func dynamicQuantizeLinear() throws {
        let x = try input(0)
        if x.elementType != .float32 { throw invalid("it quantizes \(x.elementType), not float32") }
        let source = x.elements(of: Float.self)
        // The range holds zero, which padding is made of.
        let (minimum, maximum) = source.reduce((Float(0), Float(0))) { (min($0.0, $1), max($0.1, $1)) }
        let scale = maximum == minimum ? 1 : (maximum - minimum) / 255
        let zeroPoint = Quantizer<UInt8>(scale: 1, zeroPoint: 0).quantized(-minimum / scale)
        let quantizer = Quantizer<UInt8>(scale: scale, zeroPoint: Int64(zeroPoint))
        let target = try output(.uint8, x.shape.extents).elements(of: UInt8.self)
        for i in source.indices { target[i] = quantizer.quantized(source[i]) }
        if outputs.count > 1, let output = outputs[1] {
            try check(output, .float32, [])
            output.elements(of: Float.self)[0] = scale
        }
        if outputs.count > 2, let output = outputs[2] {
            try check(output, .uint8, [])
            output.elements(of: UInt8.self)[0] = zeroPoint
        }
    }
}

/// Which scale and zero point belong to which elements.
private struct QuantizationParameters {
    private let scales: [Float]
    private let zeroPoints: [Int64]
    /// The elements that share a scale before the next one's turn comes.
    private let runLength: Int
    private let count: Int

    init(_ evaluation: Evaluation, x: TensorView, axis: Int, type: ElementType) throws {
        let scale = try evaluation.input(1)
        scales = try evaluation.floats(scale)
        count = x.shape.elementCount
        if scale.shape.rank == 0 || scale.shape.extents == [1] {
            runLength = max(count, 1)
        } else {
            let axis = try evaluation.axis(axis, rank: x.shape.rank)
            if scale.shape.extents != [x.shape[axis]] {
                throw evaluation.invalid("\(scale.shape) scales for an axis of \(x.shape[axis])")
            }
            runLength = max(1, x.shape.extents[(axis + 1)...].reduce(1, *))
        }
        if let zeroPoint = evaluation.optionalInput(2) {
            if zeroPoint.elementType != type || zeroPoint.shape.elementCount != scales.count {
                throw evaluation.invalid(
                    "the zero point is \(zeroPoint.elementType) \(zeroPoint.shape) for \(scales.count) scales of \(type)"
                )
            }
            zeroPoints = try evaluation.wideIntegers(zeroPoint)
        } else {
            zeroPoints = [Int64](repeating: 0, count: scales.count)
        }
    }

    func forEachRun(_ body: (_ run: Range<Int>, _ scale: Float, _ zeroPoint: Int64) -> Void) {
        var start = 0
        var index = 0
        while start < count {
            body(start..<start + runLength, scales[index], zeroPoints[index])
            start += runLength
            index = index + 1 == scales.count ? 0 : index + 1
        }
    }
}

extension Evaluation {
    /// The elements of a floating-point view in single precision.
    fileprivate func floats(_ view: TensorView) throws -> [Float] {
        switch view.elementType {
        case .float32: return Array(view.elements(of: Float.self))
        case .float16: return view.elements(of: Float16.self).map { Float($0) }
        case .float64: return view.elements(of: Double.self).map { Float($0) }
        default: throw invalid("the scale is \(view.elementType)")
        }
    }

    /// The elements of a view of small integers.
    fileprivate func wideIntegers(_ view: TensorView) throws -> [Int64] {
        switch view.elementType {
        case .int8: return view.elements(of: Int8.self).map { Int64($0) }
        case .uint8: return view.elements(of: UInt8.self).map { Int64($0) }
        case .int16: return view.elements(of: Int16.self).map { Int64($0) }
        case .uint16: return view.elements(of: UInt16.self).map { Int64($0) }
        case .int32: return view.elements(of: Int32.self).map { Int64($0) }
        default: throw invalid("the zero point is \(view.elementType)")
        }
    }
}
