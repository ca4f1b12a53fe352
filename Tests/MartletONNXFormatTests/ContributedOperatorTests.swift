import MartletInference
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletONNXFormat

/// ONNX Runtime's own operators on quantized numbers, as its quantiser writes them where it does not write QDQ.
@Suite struct ContributedOperatorTests {
    private func byte(_ name: String, _ value: Int32) -> TensorProto {
        var proto = Models.bare(name, 2, [])
        proto.int32Data = [value]
        return proto
    }

    private func own(
        _ type: String, _ inputs: [String], _ output: String, _ attributes: [AttributeProto] = []
    ) -> NodeProto {
        Models.node(type, inputs, [output], attributes, domain: "com.microsoft")
    }

    /// Rounds as QuantizeLinear does.
    private func rounded(_ value: Double, _ scale: Double, _ zero: Double) -> Double {
        let steps = min(max((value / scale).rounded(.toNearestOrEven) + zero, 0), 255)
        return (steps - zero) * scale
    }

    @Test func aNetworkOfThem() throws {
        var weight = Models.bare("w", 3, [3, 4])
        weight.int32Data = [1, -2, 3, 4, 127, -127, 5, 0, -7, 11, 13, -17]
        var zeros = Models.bare("o", 3, [3])
        zeros.int32Data = [0, 0, 0]
        var bias = Models.bare("c", 6, [3])
        bias.int32Data = [10, -20, 300]
        let initializers = [
            Models.floats("s", [], [0.5]), byte("z", 100), Models.floats("t", [], [0.75]), byte("u", 64),
            Models.floats("v", [3], [0.25, 0.125, 0.5]), zeros, weight, bias,
        ]
        let nodes = [
            Models.node("QuantizeLinear", ["x", "s", "z"], ["q"]),
            own("QLinearAdd", ["q", "s", "z", "q", "s", "z", "t", "u"], "a"),
            own("QLinearConcat", ["t", "u", "q", "s", "z", "a", "t", "u"], "j", [Models.integer("axis", 1)]),
            own("QLinearGlobalAveragePool", ["j", "t", "u", "s", "z"], "p"),
            own("QLinearLeakyRelu", ["p", "s", "z", "s", "z"], "l", [Models.float("alpha", 0.5)]),
            Models.node("Flatten", ["l"], ["f"]),
            own("QGemm", ["f", "s", "z", "w", "v", "o", "c"], "y", [Models.integer("transB", 1)]),
        ]
        let model = Models.model(
            nodes, initializers, inputs: [Models.value("x", [1, 2, 2, 2])], outputs: [Models.value("y", [1, 3])])
        let network = try Models.read(model)
        let values: [Float] = [1, -3, 5.2, 0.3, -20, 7, 70, -70]
        let found = try #require(
            try Executor(network: network).run(["x": try Tensor(values, shape: [1, 2, 2, 2])])["y"])

        let q = values.map { rounded(Double($0), 0.5, 100) }
        let joined = (q + q.map { rounded(2 * $0, 0.75, 64) }).map { rounded($0, 0.75, 64) }
        let pooled = (0..<4).map { channel in
            rounded(joined[4 * channel..<4 * channel + 4].reduce(0, +) / 4, 0.5, 100)
        }
        let leaky = pooled.map { rounded($0 < 0 ? 0.5 * $0 : $0, 0.5, 100) }
        let scales = [0.25, 0.125, 0.5]
        let expected = (0..<3).map { row in
            (0..<4).reduce(Double(bias.int32Data[row]) * 0.5 * scales[row]) {
                $0 + Double(weight.int32Data[4 * row + $1]) * scales[row] * leaky[$1]
            }
        }
        #expect(relativeDifference(try found.elements(Float.self), expected) < 1e-6)
        // They are ONNX's own operators by now.
        let bytes = try ONNXWriter.bytes(of: network)
        #expect(try bytes.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "memory") } == network)
    }

    @Test func whatIsNotUnderstoodIsRefused() throws {
        func read(_ node: NodeProto) throws -> Network {
            try Models.read(Models.model([node], [Models.floats("s", [], [1]), byte("z", 0)]))
        }
        #expect(throws: ONNXError.self) { try read(own("QLinearSoftmax", ["x", "s", "z", "s", "z"], "y")) }
        #expect(throws: ONNXError.self) {
            try read(
                own(
                    "QLinearGlobalAveragePool", ["x", "s", "z", "s", "z"], "y", [Models.integer("channels_last", 1)]))
        }
        #expect(throws: ONNXError.self) { try read(own("QLinearAdd", ["x", "s"], "y")) }
        #expect(throws: ONNXError.self) { try read(own("QLinearAdd", ["x", "s", "z", "x", "s", "z", "s", "z"], "")) }
        #expect(throws: ONNXError.self) { try read(own("QLinearConcat", ["s", "z"], "y")) }
        #expect(throws: ONNXError.self) { try read(own("QGemm", ["x", "x", "z", "x", "x", "z", "s"], "y")) }
    }
}
