import Foundation
import MartletNetworks
import MartletTensors
import SwiftProtobuf
import Testing

@testable import MartletONNXFormat

/// Weights in a file beside the model.
@Suite final class ExternalDataTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("martlet-\(UUID().uuidString)").appendingPathComponent("model")

    init() throws {
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("sub"), withIntermediateDirectories: true)
        let numbers = Data([0, 0, 0, 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40])
        try numbers.write(to: folder.appendingPathComponent("weights.bin"))
        try numbers.write(to: folder.appendingPathComponent("sub/weights.bin"))
        try numbers.write(to: folder.deletingLastPathComponent().appendingPathComponent("outside.bin"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.appendingPathComponent("link.bin").path, withDestinationPath: "../outside.bin")
        try FileManager.default.createSymbolicLink(
            atPath: folder.appendingPathComponent("way").path, withDestinationPath: "..")
        try FileManager.default.createSymbolicLink(
            atPath: folder.appendingPathComponent("inside.bin").path, withDestinationPath: "sub/weights.bin")
    }

    deinit { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }

    private func read(_ properties: [String: String], dims: [Int64] = [2]) throws -> [Float] {
        var tensor = Models.bare("w", 1, dims)
        tensor.dataLocation = .external
        tensor.externalData = properties.map { key, value in
            var entry = StringStringEntryProto()
            entry.key = key
            entry.value = value
            return entry
        }
        let model = Models.model([Models.node("Identity", ["w"], ["y"])], [tensor])
        let path = folder.appendingPathComponent("model.onnx")
        try (try model.serializedBytes() as Data).write(to: path)
        let network = try ONNXReader.read(path: path.path)
        return try #require(network.constants["w"]).elements(Float.self)
    }

    @Test func isRead() throws {
        #expect(try read(["location": "weights.bin", "offset": "8", "length": "8"]) == [2, 3])
        #expect(try read(["location": "weights.bin"], dims: [4]) == [0, 1, 2, 3])
        #expect(try read(["location": "./sub/weights.bin", "offset": "4"]) == [1, 2])
        #expect(try read(["location": "inside.bin", "offset": "4"]) == [1, 2])
        #expect(try read(["location": "weights.bin", "offset": "16"], dims: [0]) == [])
    }

    @Test(arguments: [
        [:], ["location": ""], ["location": "absent.bin"], ["location": "sub"], ["location": "../outside.bin"],
        ["location": "sub/../../outside.bin"], ["location": "link.bin"], ["location": "way/outside.bin"],
        ["location": "/etc/hostname"], ["location": "weights.bin\0"], ["location": "weights.bin", "offset": "17"],
        ["location": "weights.bin", "offset": "12"], ["location": "weights.bin", "offset": "-4"],
        ["location": "weights.bin", "offset": "9223372036854775807"],
        ["location": "weights.bin", "offset": "9223372036854775808"], ["location": "weights.bin", "length": "4"],
        ["location": "weights.bin", "length": "-8"], ["location": "weights.bin", "offset": "one"],
    ]) func isRefused(_ properties: [String: String]) throws {
        do {
            _ = try read(properties)
            Issue.record("\(properties) was read")
        } catch let error as ONNXError {
            guard case .externalData(_, "w", _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
