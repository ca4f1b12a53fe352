import MartletNetworks
import MartletONNXFormat
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletQuantization

@Suite struct StaticQuantizerTests {
    private func quantize(
        _ network: Network, threads: Int = 2, images: Int = 3,
        _ change: (inout StaticQuantizer.Options) -> Void = { _ in }
    ) throws -> (network: Network, report: QuantizationReport) {
        var quantizer = StaticQuantizer(pool: pools[threads - 1])
        change(&quantizer.options)
        return try quantizer.quantized(network, batches: source(try batches(images, extents: [3, 10, 10])))
    }

    /// The integers that stand for an input of a layer, and their scales.
    private func integers<Element: TensorElement>(
        _: Element.Type, of layer: String, input: Int, in network: Network
    ) throws -> (integers: [Element], scales: [Float]) {
        let node = try #require(network.nodes.first { $0.name == layer })
        let source = try #require(network.nodes.first { $0.outputs.first == node.input(input) })
        func constant(_ index: Int) throws -> Tensor {
            try #require(source.input(index).flatMap { network.constants[$0] })
        }
        return (try constant(0).elements(Element.self), try constant(1).elements(Float.self))
    }

    @Test func theResultIsClose() throws {
        let network = try branchingNetwork()
        let (quantized, report) = try quantize(network)
        let batch = try batches(1, extents: [3, 10, 10], seed: 77)[0]
        #expect(try relativeError(quantized, of: network, on: batch) < 2e-3)
        #expect(report.layers.map(\.precision) == [String](repeating: "int8", count: 8))
        #expect(report.layers.allSatisfy { ($0.error ?? 1) < 1e-3 && $0.range != nil })
        #expect(quantized.inputs == network.inputs && quantized.outputs == network.outputs)
        let names = Set(quantized.nodes.map(\.name))
        // The depthwise factors of CP have become one.
        #expect(network.nodes.filter { !names.contains($0.name) }.map(\.name) == ["cp.2"])
        // Written, read and simplified it is the same.
        let bytes = try ONNXWriter.bytes(of: quantized)
        let back = try bytes.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "memory") }.simplified()
        let (a, b) = (try run(quantized, batch), try run(back, batch))
        #expect(a[network.outputs[0].name] != nil && a[network.outputs[0].name] == b[network.outputs[0].name])
    }

    @Test func threadsMakeNoDifference() throws {
        let network = try branchingNetwork()
        let one = try quantize(network, threads: 1).network
        #expect(try ONNXWriter.bytes(of: one) == ONNXWriter.bytes(of: try quantize(network, threads: 3).network))
    }

    @Test func weightsAreIntegersOfOneScaleAnOutput() throws {
        var network = try branchingNetwork()
        try network.joinDepthwiseFilters()
        let quantized = try quantize(network) {
            ($0.rotates, $0.equalizes, $0.correctsBias, $0.compensates) = (false, false, false, false)
        }.network
        for layer in network.weightedLayers() {
            let weight = try #require(network.constants[layer.weight]).elements(Float.self)
            let (integers, scales) = try integers(Int8.self, of: layer.name, input: 1, in: quantized)
            #expect(scales.count == layer.outputs && !integers.contains(-128))
            let fan = weight.count / layer.outputs
            for (index, integer) in integers.enumerated() {
                let scale = scales[index / fan]
                // Rounded to the nearest, but for what a smaller scale cuts off.
                let error = abs(weight[index] - Float(integer) * scale)
                #expect(error <= scale * 0.5001 || abs(integer) == 127)
            }
            // A bias is for the runtime to round.
            let node = try #require(quantized.nodes.first { $0.name == layer.name })
            #expect(layer.bias.map { network.constants[$0] } == node.input(2).map { quantized.constants[$0] })
        }
    }

    @Test func correctedBiasesLeaveNoMeanError() throws {
        let network = try branchingNetwork()
        func meanError(corrects: Bool) throws -> Double {
            let quantized = try quantize(network, images: 6) { $0.correctsBias = corrects }.network
            var sums = [Double](repeating: 0, count: 4)
            for batch in try batches(6, extents: [3, 10, 10]) {
                let exact = try #require(try run(network, batch)[network.outputs[0].name]).elements(Float.self)
                let rounded = try #require(try run(quantized, batch)[network.outputs[0].name]).elements(Float.self)
                for index in exact.indices { sums[index % 4] += Double(exact[index] - rounded[index]) }
            }
            return sums.reduce(0) { $0 + $1 * $1 }
        }
        #expect(try meanError(corrects: true) < meanError(corrects: false))
    }

    @Test func excludedLayersKeepTheirWeights() throws {
        let network = try branchingNetwork()
        let (quantized, report) = try quantize(network) {
            ($0.excluded, $0.equalizes) = (["stem", "cp.4"], false)
        }
        for layer in network.weightedLayers() where ["stem", "cp.4"].contains(layer.name) {
            #expect(quantized.constants[layer.weight] == network.constants[layer.weight])
        }
        #expect(report.layers.filter { $0.precision == "float32" }.map(\.name) == ["stem", "cp.4"])
    }

    @Test func outputsOfNothingAndHugeBiases() throws {
        var network = try branchingNetwork()
        // A dead output with a bias that no step of its weights could count.
        var weight = try #require(network.constants["stem.weight"])
        try weight.withMutableElements(of: Float.self) { for i in 0..<27 { $0[i] = 0 } }
        try weight.withMutableElements(of: Float.self) { for i in 27..<54 { $0[i] = 1e-12 } }
        network.constants["stem.weight"] = weight
        var bias = try #require(network.constants["stem.bias"])
        try bias.withMutableElements(of: Float.self) { ($0[0], $0[1]) = (3, 2) }
        network.constants["stem.bias"] = bias
        let quantized = try quantize(network).network
        let batch = try batches(1, extents: [3, 10, 10], seed: 78)[0]
        #expect(try relativeError(quantized, of: network, on: batch) < 2e-3)
    }

    @Test func whatCannotBeQuantizedIsRefused() throws {
        let network = try branchingNetwork()
        let none = StaticQuantizer(pool: pools[0])
        #expect(throws: QuantizationError.noImages) { try none.quantized(network, batches: { _ in }) }
        let quantized = try quantize(network).network
        #expect(throws: QuantizationError.alreadyQuantized(network: "small")) {
            try none.quantized(quantized, batches: { _ in })
        }
        var bare = network
        bare.nodes = [Node(name: "r", operation: .activation(.relu), inputs: ["input"], outputs: ["y"])]
        bare.outputs = [.init(name: "y", type: network.inputs[0].type)]
        #expect(throws: QuantizationError.nothingToQuantize(network: "small")) {
            try none.quantized(bare, batches: source([]))
        }
        let nan = try Tensor([Float](repeating: .nan, count: 300), shape: [1, 3, 10, 10])
        #expect(throws: QuantizationError.notFinite(value: "input")) {
            try none.quantized(network, batches: source([nan]))
        }
    }
}
