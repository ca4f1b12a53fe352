import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletNetworks

/// Quantization to the definition, in double.
@Suite struct QuantizationEvaluationTests {
    @Test func roundsTiesToEvenAndSaturates() throws {
        let values: [Float] = [-1000, -0.75, -0.25, 0.25, 0.5, 0.75, 1.25, 63.75, 1000, .infinity, -.infinity, .nan]
        let x = try Tensor(values, shape: Shape([values.count]))
        let scale = try Tensor([0.5 as Float], shape: [])
        let unsigned = try result(
            .quantizeLinear(axis: 1, type: .uint8), [x, scale, try Tensor([128 as UInt8], shape: [])], [values.count],
            as: UInt8.self)
        #expect(unsigned == [0, 126, 128, 128, 129, 130, 130, 255, 255, 255, 0, 128])
        let signed = try result(
            .quantizeLinear(axis: 1, type: .int8), [x, scale, nil], [values.count], as: Int8.self)
        #expect(signed == [-128, -2, 0, 0, 1, 2, 2, 127, 127, 127, -128, 0])
    }

    @Test func eachChannelHasItsScale() throws {
        var generator = SeededGenerator(seed: 3)
        let extents = [2, 3, 4]
        let x = generator.floats(24)
        let scales: [Float] = [0.1, 0.02, 0.005]
        let zeroPoints: [Int8] = [0, 5, -7]
        let quantized = try result(
            .quantizeLinear(axis: -2, type: .int8),
            [
                try Tensor(x, shape: Shape(extents)), try Tensor(scales, shape: [3]),
                try Tensor(zeroPoints, shape: [3]),
            ], extents, as: Int8.self)
        let back = try result(
            .dequantizeLinear(axis: 1),
            [
                try Tensor(quantized, shape: Shape(extents)), try Tensor(scales, shape: [3]),
                try Tensor(zeroPoints, shape: [3]),
            ], extents, as: Float.self)
        for index in x.indices {
            let channel = index / 4 % 3
            let steps = (Double(x[index] / scales[channel])).rounded(.toNearestOrEven) + Double(zeroPoints[channel])
            #expect(Double(quantized[index]) == min(max(steps, -128), 127))
            #expect(back[index] == Float(Int(quantized[index]) - Int(zeroPoints[channel])) * scales[channel])
        }
    }

    @Test func hugeBiasesDoNotOverflow() throws {
        let x = try Tensor([Int32.min, Int32.max], shape: [2])
        let zeroPoint = try Tensor([Int32.max], shape: [])
        let values = try result(
            .dequantizeLinear(axis: 0), [x, try Tensor([1 as Float], shape: []), zeroPoint], [2], as: Float.self)
        #expect(values == [-4_294_967_296, 0])
    }

    @Test func wrongParametersAreRefused() throws {
        let x = try Tensor([1 as Float, 2], shape: [2])
        let scale = try Tensor([1 as Float], shape: [])
        let three = try Tensor([1 as Float, 1, 1], shape: [3])
        let zeroPoint = try Tensor([0 as Int8], shape: [])
        #expect(throws: NetworkError.self) {
            try evaluate(.quantizeLinear(axis: 0, type: .uint8), [x, three], [(.uint8, [2])])
        }
        #expect(throws: NetworkError.self) {
            try evaluate(.quantizeLinear(axis: 0, type: .uint8), [x, scale, zeroPoint], [(.uint8, [2])])
        }
        #expect(throws: NetworkError.self) {
            try evaluate(
                .quantizeLinear(axis: 7, type: .uint8), [x, try Tensor([1 as Float, 1], shape: [2])], [(.uint8, [2])])
        }
        #expect(throws: NetworkError.self) { try evaluate(.dequantizeLinear(axis: 0), [x, scale], [(.float32, [2])]) }
    }

    @Test func quantizedWeightsAreNotFolded() throws {
        var maker = NetworkMaker(seed: 1)
        let weight = maker.constant(try Tensor([Int8](repeating: 3, count: 4), shape: [2, 2]))
        let scale = maker.constant(try Tensor([0.5 as Float, 0.25], shape: [2]))
        let float = maker.add(.dequantizeLinear(axis: 0), [weight, scale])
        let y = maker.add(.matMul, ["input", float])
        let network = Network(
            name: "", inputs: [.init(name: "input", type: TensorType(.float32, [.symbol("N"), .fixed(2)]))],
            outputs: [.init(name: y, type: TensorType(.float32, [.symbol("N"), .fixed(2)]))], nodes: maker.nodes,
            constants: maker.constants)
        var simplified = try network.simplified()
        #expect(simplified.nodes.count == 2 && simplified.constants[weight]?.elementType == .int8)
        try simplified.foldDequantizedConstants()
        #expect(simplified.nodes.count == 1)
        #expect(try simplified.constants[float]?.elements(Float.self) == [1.5, 1.5, 0.75, 0.75])
    }
}
