import Foundation
import MartletNetworks
import MartletTensors
import Testing

@testable import MartletONNXFormat

/// A file is read through its skeleton; the same file with a field that only the parser understands is not.
@Suite struct ModelSkeletonTests {
    private let count = 2048

    private func model(_ values: [Float]) throws -> Data {
        var proto = Models.bare("w", 1, [Int64(values.count)])
        proto.rawData = values.withUnsafeBytes { Data($0) }
        return try Models.model([Models.node("Identity", ["w"], ["y"])], [proto], inputs: []).serializedData()
    }

    private func read(_ data: Data) throws -> [Float] {
        let network = try data.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "test.onnx") }
        return try #require(network.constants["w"]).elements(Float.self)
    }

    private func cut(_ data: Data) -> ModelSkeleton? {
        data.withUnsafeBytes { try? ModelSkeleton(of: $0) }
    }

    private var values: [Float] { (0..<count).map { Float($0) } }

    @Test func largeElementsAreLeftOut() throws {
        let data = try model(values)
        let skeleton = try #require(cut(data))
        #expect(skeleton.model.count < 200)
        #expect(skeleton.elements[0]?.count == 4 * count)
        #expect(try read(data) == values)
    }

    @Test func smallElementsAreNot() throws {
        let data = try model([1, 2])
        #expect(cut(data)?.elements.isEmpty == true)
        #expect(cut(data)?.model == data)
        #expect(try read(data) == [1, 2])
    }

    @Test func theParserReadsWhatTheSkeletonDoesNot() throws {
        // An empty group of number 99, as no file has had for years.
        let data = try model(values) + Data([0x9b, 0x06, 0x9c, 0x06])
        #expect(cut(data) == nil)
        #expect(try read(data) == values)
    }

    @Test func aGraphInTwoPartsIsOne() throws {
        // Messages of one field that stands twice are merged; initialisers are counted on.
        var first = ModelProto()
        var proto = Models.bare("v", 1, [Int64(count)])
        proto.rawData = [Float](repeating: 5, count: count).withUnsafeBytes { Data($0) }
        first.graph.initializer = [proto]
        let data = try first.serializedData() + model(values)
        #expect(cut(data)?.elements.count == 2)
        #expect(try read(data) == values)
        let network = try data.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "test.onnx") }
        #expect(try network.constants["v"]?.elements(Float.self) == [Float](repeating: 5, count: count))
    }

    @Test func whatIsCutShortIsRefused() throws {
        let data = try model(values)
        for length in [1, 2, 10, 40, data.count / 2, data.count - 1] {
            #expect(throws: (any Error).self, "\(length) bytes") { try read(data.prefix(length)) }
        }
    }
}
