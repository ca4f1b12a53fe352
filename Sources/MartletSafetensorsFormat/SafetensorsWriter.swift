import Foundation
import MartletFiles
import MartletTensors

/// Writes safetensors files.
public enum SafetensorsWriter {
    /// Writes tensors to the file at `path`, which appears whole or not at all.
    ///
    /// Names are written in the order given, and asked for one at a time, so that not all need be in memory at once.
    /// - Parameters:
    ///   - layout: the name, element type and shape of each tensor.
    ///   - tensor: the tensor of a name, of the type and shape its layout states.
    /// - Throws: ``SafetensorsError/tensor(file:tensor:reason:)``, ``FileError``.
    public static func write(
        _ layout: [(name: String, elementType: ElementType, shape: Shape)], metadata: [String: String], to path: String,
        tensor: (String) throws -> Tensor
    ) throws {
        let header = try header(layout, metadata: metadata)
        try OutputFile.create(at: path) { file in
            try header.withUnsafeBytes { try file.write($0) }
            for entry in layout {
                let tensor = try tensor(entry.name)
                guard tensor.elementType == entry.elementType, tensor.shape == entry.shape else {
                    throw SafetensorsError.tensor(
                        file: path, tensor: entry.name, reason: "it is not what was announced")
                }
                try tensor.withUnsafeBytes { try file.write($0) }
            }
        }
    }

    private static func header(
        _ layout: [(name: String, elementType: ElementType, shape: Shape)], metadata: [String: String]
    ) throws -> Data {
        var object: [String: Any] = [:]
        if !metadata.isEmpty { object["__metadata__"] = metadata }
        var end = 0
        for entry in layout {
            let start = end
            end = try CheckedArithmetic.sum([start, entry.shape.elementCount * entry.elementType.byteCount])
            let type = SafetensorsHeader.typeNames.first { $0.1 == entry.elementType }?.0
            object[entry.name] = ["dtype": type ?? "", "shape": entry.shape.extents, "data_offsets": [start, end]]
        }
        var text = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        // The numbers begin at a multiple of eight bytes, so that readers can map them.
        text.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
        var result = Data()
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { result.append(contentsOf: $0) }
        result.append(text)
        return result
    }
}
