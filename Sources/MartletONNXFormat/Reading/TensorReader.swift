import Foundation
import MartletFiles
import MartletTensors

extension ElementType {
    /// The element type of an ONNX `TensorProto.DataType` number, `nil` for those Martlet does not hold.
    init?(onnx number: Int32) {
        switch number {
        case 1: self = .float32
        case 2: self = .uint8
        case 3: self = .int8
        case 4: self = .uint16
        case 5: self = .int16
        case 6: self = .int32
        case 7: self = .int64
        case 9: self = .bool
        case 10: self = .float16
        case 11: self = .float64
        case 12: self = .uint32
        case 13: self = .uint64
        default: return nil
        }
    }

    /// The ONNX `TensorProto.DataType` number.
    var onnx: Int32 {
        switch self {
        case .float32: 1
        case .uint8: 2
        case .int8: 3
        case .uint16: 4
        case .int16: 5
        case .int32: 6
        case .int64: 7
        case .bool: 9
        case .float16: 10
        case .float64: 11
        case .uint32: 12
        case .uint64: 13
        }
    }

    /// What to call an ONNX data type that Martlet does not hold.
    static func name(onnx number: Int32) -> String {
        let names: [Int32: String] = [0: "undefined", 8: "string", 14: "complex64", 15: "complex128", 16: "bfloat16"]
        return names[number] ?? "type \(number)"
    }
}

/// Reads tensors of one file, with the external data beside it.
struct TensorReader {
    let file: String

    /// The tensor that `proto` describes; `rawData` are its elements if it was parsed without them.
    func tensor(_ proto: TensorProto, rawData: UnsafeRawBufferPointer? = nil) throws -> Tensor {
        guard let type = ElementType(onnx: proto.dataType) else {
            throw ONNXError.unsupported(
                file: file, items: ["tensor '\(proto.name)': elements of \(ElementType.name(onnx: proto.dataType))"])
        }
        do {
            let shape = try Shape(proto.dims.map { Int($0) })
            if proto.dataLocation == .external { return try external(proto, type, shape) }
            if let rawData {
                try expect(rawData.count, of: shape, bytesEach: type.byteCount, in: proto, unit: "bytes")
                return try tensor(type, shape, rawData)
            }
            if proto.hasRawData {
                try expect(proto.rawData.count, of: shape, bytesEach: type.byteCount, in: proto, unit: "bytes")
                return try proto.rawData.withUnsafeBytes { try tensor(type, shape, $0) }
            }
            return try typed(proto, type, shape)
        } catch let error as TensorError {
            throw ONNXError.invalidTensor(file: file, tensor: proto.name, reason: error.description)
        }
    }

    private func tensor(_ type: ElementType, _ shape: Shape, _ bytes: UnsafeRawBufferPointer) throws -> Tensor {
        // A byte from a file need not be 0 or 1, and a boolean must be.
        if type == .bool { return try Tensor(bytes.map { $0 != 0 }, shape: shape) }
        return try Tensor(elementType: type, shape: shape, bytes: bytes)
    }

    private func typed(_ proto: TensorProto, _ type: ElementType, _ shape: Shape) throws -> Tensor {
        func tensor<Source, Target: TensorElement>(_ values: [Source], _ convert: (Source) -> Target) throws -> Tensor {
            try expect(values.count, of: shape, bytesEach: 1, in: proto, unit: "elements")
            return try Tensor(values.map(convert), shape: shape)
        }
        switch type {
        case .float32: return try tensor(proto.floatData) { $0 }
        case .float64: return try tensor(proto.doubleData) { $0 }
        case .float16: return try tensor(proto.int32Data) { Float16(bitPattern: UInt16(truncatingIfNeeded: $0)) }
        case .int8: return try tensor(proto.int32Data) { Int8(truncatingIfNeeded: $0) }
        case .int16: return try tensor(proto.int32Data) { Int16(truncatingIfNeeded: $0) }
        case .int32: return try tensor(proto.int32Data) { $0 }
        case .int64: return try tensor(proto.int64Data) { $0 }
        case .uint8: return try tensor(proto.int32Data) { UInt8(truncatingIfNeeded: $0) }
        case .uint16: return try tensor(proto.int32Data) { UInt16(truncatingIfNeeded: $0) }
        case .uint32: return try tensor(proto.uint64Data) { UInt32(truncatingIfNeeded: $0) }
        case .uint64: return try tensor(proto.uint64Data) { $0 }
        case .bool: return try tensor(proto.int32Data) { $0 != 0 }
        }
    }

    private func expect(_ count: Int, of shape: Shape, bytesEach: Int, in proto: TensorProto, unit: String) throws {
        let wanted = shape.elementCount * bytesEach
        if count != wanted {
            throw ONNXError.invalidTensor(
                file: file, tensor: proto.name,
                reason: "the shape \(shape) wants \(wanted) \(unit), the file has \(count)")
        }
    }

    /// Reads external data. Its path is confined to the model's folder, links included: a model is not to read the disk.
    private func external(_ proto: TensorProto, _ type: ElementType, _ shape: Shape) throws -> Tensor {
        func refuse(_ reason: String) -> ONNXError {
            .externalData(file: file, tensor: proto.name, reason: reason)
        }
        var properties: [String: String] = [:]
        for entry in proto.externalData { properties[entry.key] = entry.value }
        guard let location = properties["location"], !location.isEmpty else { throw refuse("it has no location") }
        if location.hasPrefix("/") || location.contains("\0") || location.split(separator: "/").contains("..") {
            throw refuse("'\(location)' lies outside the folder of the model")
        }
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().resolvingSymlinksInPath().path
        let path = URL(fileURLWithPath: folder).appendingPathComponent(location).resolvingSymlinksInPath().path
        guard path.hasPrefix(folder == "/" ? "/" : folder + "/") else {
            throw refuse("'\(location)' leads outside the folder of the model")
        }
        func number(_ key: String) throws -> Int? {
            guard let text = properties[key] else { return nil }
            guard let value = Int(text), value >= 0 else { throw refuse("'\(text)' is no \(key)") }
            return value
        }
        let wanted = shape.elementCount * type.byteCount
        let offset = try number("offset") ?? 0
        let mapped: MappedFile
        do {
            mapped = try MappedFile(path: path)
        } catch {
            throw refuse(error.description)
        }
        return try mapped.withUnsafeBytes { bytes in
            guard offset <= bytes.count else { throw refuse("offset \(offset) lies behind the end of '\(location)'") }
            let length = try number("length") ?? wanted
            if length != wanted { throw refuse("\(length) bytes where the shape \(shape) wants \(wanted)") }
            guard length <= bytes.count - offset else {
                throw refuse("'\(location)' ends before byte \(offset) + \(length)")
            }
            return try tensor(type, shape, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
        }
    }
}
