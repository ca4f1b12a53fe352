import MartletNetworks
import MartletONNXFormat
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletQuantization

@Suite struct HalfPrecisionTests {
    @Test func weightsAreHalvedAndNothingElse() throws {
        let network = try branchingNetwork()
        let (halved, tooLarge) = try HalfPrecision.halved(network)
        #expect(tooLarge.isEmpty)
        for (name, tensor) in network.constants {
            let isLarge = tensor.shape.rank >= 2 && tensor.shape.elementCount >= 64
            #expect((halved.constants["\(name).half"]?.elementType == .float16) == isLarge)
            #expect((halved.constants[name] == tensor) == !isLarge)
        }
        // Martlet runs it in single precision, and each weight is off by a part in 2,048 at most.
        let back = try halved.simplified()
        for (name, tensor) in network.constants {
            for (a, b) in zip(try tensor.elements(Float.self), try #require(back.constants[name]).elements(Float.self))
            {
                #expect(abs(a - b) <= max(abs(a) / 2048, 0x1p-25))
            }
        }
        let bytes = try ONNXWriter.bytes(of: halved)
        #expect(try bytes.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "memory") } == halved)
        let batch = try batches(1, extents: [3, 10, 10])[0]
        #expect(try relativeError(back, of: network, on: batch) < 1e-6)
    }

    @Test func whatHalfPrecisionCannotHoldStays() throws {
        var network = try branchingNetwork()
        var weight = try #require(network.constants["stem.weight"])
        try weight.withMutableElements(of: Float.self) { $0[5] = 70_000 }
        network.constants["stem.weight"] = weight
        let (halved, tooLarge) = try HalfPrecision.halved(network)
        #expect(tooLarge == ["stem.weight"] && halved.constants["stem.weight"] == weight)
    }
}
