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

    @Test func activationsTooWhereAsked() throws {
        let network = try branchingNetwork()
        let halved = try HalfPrecision.halvedThroughout(network)
        #expect(halved.inputs == network.inputs && halved.outputs == network.outputs)
        // Nothing is left in single precision but what goes in and what comes out.
        let types = try halved.folded().types
        let single = types.filter { $0.value.elementType == .float32 }.keys
        #expect(Set(single) == Set((network.inputs + network.outputs).map(\.name)))
        let bytes = try ONNXWriter.bytes(of: halved)
        #expect(try bytes.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "memory") } == halved)
        // Martlet computes in single precision; the weights are the halved ones, and are held in half precision.
        let batch = try batches(1, extents: [3, 10, 10])[0]
        let weightsAlone = try HalfPrecision.halved(network).network
        #expect(try relativeError(halved.simplified(), of: weightsAlone.simplified(), on: batch) < 1e-5)
        let (kept, expected) = try (
            halved.simplified(keepingHalfWeights: true), weightsAlone.simplified(keepingHalfWeights: true)
        )
        #expect(kept.halfWeights().count >= expected.halfWeights().count && !expected.halfWeights().isEmpty)
        #expect(try relativeError(kept, of: halved.simplified(), on: batch) < 1e-6)
    }

    @Test func activationsNeedConstantsThatFit() throws {
        var network = try branchingNetwork()
        var weight = try #require(network.constants["stem.weight"])
        try weight.withMutableElements(of: Float.self) { $0[5] = 70_000 }
        network.constants["stem.weight"] = weight
        #expect(throws: QuantizationError.beyondHalfPrecision(constant: "stem.weight")) {
            try HalfPrecision.halvedThroughout(network)
        }
        var quantized = network
        quantized.nodes[0].operation = .dynamicQuantizeLinear
        #expect(throws: QuantizationError.alreadyQuantized(network: network.name)) {
            try HalfPrecision.halvedThroughout(quantized)
        }
    }
}
