extension Tensor {
    /// The elements converted to another type: truncated towards zero from floating point to integers, rounded to
    /// nearest even between floating-point types, `false` for zero and `true` for the rest where booleans are wanted.
    ///
    /// Values an integer cannot hold, NaN among them, become the nearest it can (NaN becomes 0); ONNX leaves that open.
    /// - Throws: ``TensorError/outOfMemory(bytes:)``.
    public func converted(to type: ElementType) throws -> Tensor {
        if type == elementType { return self }
        var result = try Tensor(zeros: shape, elementType: type)
        try withUnsafeBytes { source in
            try result.withUnsafeMutableBytes { target in
                switch elementType {
                case .float32: convert(source.bindMemory(to: Float.self), into: target, as: type)
                case .float64: convert(source.bindMemory(to: Double.self), into: target, as: type)
                case .float16: convert(source.bindMemory(to: Float16.self), into: target, as: type)
                case .int8: convert(source.bindMemory(to: Int8.self), into: target, as: type)
                case .int16: convert(source.bindMemory(to: Int16.self), into: target, as: type)
                case .int32: convert(source.bindMemory(to: Int32.self), into: target, as: type)
                case .int64: convert(source.bindMemory(to: Int64.self), into: target, as: type)
                case .uint8, .bool: convert(source.bindMemory(to: UInt8.self), into: target, as: type)
                case .uint16: convert(source.bindMemory(to: UInt16.self), into: target, as: type)
                case .uint32: convert(source.bindMemory(to: UInt32.self), into: target, as: type)
                case .uint64: convert(source.bindMemory(to: UInt64.self), into: target, as: type)
                }
            }
        }
        return result
    }
}

private func convert<Source: BinaryFloatingPoint>(
    _ source: UnsafeBufferPointer<Source>, into target: UnsafeMutableRawBufferPointer, as type: ElementType
) {
    func integers<Target: FixedWidthInteger>(_: Target.Type) {
        let target = target.bindMemory(to: Target.self)
        for i in source.indices { target[i] = saturated(Double(source[i])) }
    }
    switch type {
    case .float32: store(source, target) { Float($0) }
    case .float64: store(source, target) { Double($0) }
    case .float16: store(source, target) { Float16($0) }
    case .bool: store(source, target) { $0 != 0 }
    case .int8: integers(Int8.self)
    case .int16: integers(Int16.self)
    case .int32: integers(Int32.self)
    case .int64: integers(Int64.self)
    case .uint8: integers(UInt8.self)
    case .uint16: integers(UInt16.self)
    case .uint32: integers(UInt32.self)
    case .uint64: integers(UInt64.self)
    }
}

private func convert<Source: FixedWidthInteger>(
    _ source: UnsafeBufferPointer<Source>, into target: UnsafeMutableRawBufferPointer, as type: ElementType
) {
    switch type {
    case .float32: store(source, target) { Float($0) }
    case .float64: store(source, target) { Double($0) }
    case .float16: store(source, target) { Float16($0) }
    case .bool: store(source, target) { $0 != 0 }
    case .int8: store(source, target) { Int8(clamping: $0) }
    case .int16: store(source, target) { Int16(clamping: $0) }
    case .int32: store(source, target) { Int32(clamping: $0) }
    case .int64: store(source, target) { Int64(clamping: $0) }
    case .uint8: store(source, target) { UInt8(clamping: $0) }
    case .uint16: store(source, target) { UInt16(clamping: $0) }
    case .uint32: store(source, target) { UInt32(clamping: $0) }
    case .uint64: store(source, target) { UInt64(clamping: $0) }
    }
}

private func store<Source, Target: TensorElement>(
    _ source: UnsafeBufferPointer<Source>, _ target: UnsafeMutableRawBufferPointer, _ value: (Source) -> Target
) {
    let target = target.bindMemory(to: Target.self)
    for i in source.indices { target[i] = value(source[i]) }
}

private func saturated<Target: FixedWidthInteger>(_ value: Double) -> Target {
    if value.isNaN { return 0 }
    if value <= Double(Target.min) { return .min }
    if value >= Double(Target.max) { return .max }
    return Target(value)
}
