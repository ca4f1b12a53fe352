import Foundation
import Martlet
import MartletTestSupport
import Testing

/// What a compressed network computes, after it was written to a file and read again.
@Suite struct CompressedNetworkTests {
    let pool = ThreadPool(threadCount: 2)

    /// Images `[count, 3, 12, 12]` whose neighbouring pixels are alike.
    private func images(_ count: Int, seed: UInt64) throws -> Tensor {
        var generator = SeededGenerator(seed: seed)
        var values = generator.floats(count * 3 * 12 * 12)
        for index in 1..<values.count { values[index] = 0.9 * values[index - 1] + 0.3 * values[index] }
        return try Tensor(values, shape: [count, 3, 12, 12])
    }

    private func output(_ network: Network, _ input: Tensor) throws -> [Float] {
        let outputs = try Executor(network: network, pool: pool).run([network.inputs[0].name: input])
        return try #require(outputs[network.outputs[0].name]).elements(Float.self)
    }

    private func distance(_ first: [Float], _ second: [Float]) -> Float {
        zip(first, second).map { abs($0 - $1) }.max() ?? .infinity
    }

    /// Gradients of the weights that are the weights.
    private func gradients(_ network: Network) throws -> GradientStatistics {
        var layers: [String: LayerGradients] = [:]
        for layer in network.weightedLayers() {
            var sums = try LayerGradients(outputs: layer.outputs, patchSize: layer.patchSize)
            try sums.add(products: [Float](repeating: 1, count: layer.outputs * layer.outputs), count: 1)
            try sums.add(
                weights: try #require(network.constants[layer.weight]).elements(Float.self), isTransposed: false)
            layers[layer.name] = sums
        }
        let provenance = Provenance(
            network: network.name, networkDigest: NetworkDigest.digest(of: network), data: "", dataDigest: "",
            preprocessing: "", images: 1, version: "")
        return GradientStatistics(provenance: provenance, source: .scores, draws: 1, layers: layers)
    }

    /// The factors in a chain of layers give what one layer with the product of the factors gives.
    @Test(arguments: DecompositionMethod.allCases)
    func equalsItsDenseReconstruction(method: DecompositionMethod) throws {
        let network = try SmallNetwork.residual(seed: 5)
        let gatherer = try StatisticsGatherer(network: network, pool: pool)
        try gatherer.add(try images(16, seed: 2))
        let statistics = try gatherer.statistics(data: "noise", dataDigest: "", preprocessing: "", version: "")
        var compressor = Compressor(method: method, ranks: .vbmf(ratio: 0.9), pool: pool)
        let gradients = try gradients(network)
        compressor.gradients = gradients
        let (compressed, report) = try compressor.compress(network, statistics: statistics)
        let folder = try TemporaryFolder()
        try ONNXWriter.write(compressed, to: folder.file("small.onnx"))
        let written = try Model(path: folder.file("small.onnx")).network

        // The same factors, found anew and multiplied out in double precision, in the layer's own place.
        var dense = network
        var replaced = 0
        for layer in network.weightedLayers() {
            guard let entry = report.layers.first(where: { $0.name == layer.name }), entry.kept == nil,
                let ranks = entry.ranks, let weight = network.constants[layer.weight]
            else { continue }
            let shape = weight.shape.extents + (layer.kernel.isEmpty ? [1, 1] : [])
            let kernel = try ConvolutionKernel(
                outputs: shape[0], inputs: shape[1], height: shape[2], width: shape[3],
                elements: try weight.elements(Float.self))
            let moments = try statistics.moments(of: layer)
            let moment = try SecondMoment(moments.secondMoment(), patchCount: moments.count)
            var measurements = LayerMeasurements(secondMoment: moment)
            measurements.outputMagnitudes = try OutputMagnitudes.estimated(
                kernel, bias: layer.bias.flatMap { network.constants[$0] }?.elements(Float.self).map(Double.init),
                mean: moments.mean(), secondMoment: moment, pool: pool)
            measurements.fisherInformation = try gradients.gradients(of: layer).fisherInformation()
            let fit = try method.fit(kernel, ranks: ranks, measurements: measurements, pool: pool)
            dense.constants[layer.weight] = try Tensor(
                fit.factors.reconstructed(pool: pool).floatElements, shape: weight.shape)
            replaced += 1
        }
        #expect(replaced > 0)
        let input = try images(3, seed: 9)
        let (original, small, whole) = (
            try output(network, input), try output(written, input), try output(dense, input)
        )
        let scale = original.map(abs).max() ?? 0
        #expect(distance(small, whole) < 1e-5 * scale)
        // And it is not the original that is compared with itself.
        #expect(distance(small, original) > 1e-3 * scale)
    }
}
