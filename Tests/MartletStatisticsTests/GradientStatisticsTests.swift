import MartletNetworks
import MartletStatistics
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct GradientStatisticsTests {
    private func statistics(
        _ network: Network, seed: UInt64, digest: String, draws: Int = 1
    ) throws -> GradientStatistics {
        var generator = SeededGenerator(seed: seed)
        var layers: [String: LayerGradients] = [:]
        for layer in network.weightedLayers() {
            var sums = try LayerGradients(outputs: layer.outputs, patchSize: layer.patchSize)
            let gradient = generator.floats(layer.outputs)
            try sums.add(products: gradient.flatMap { a in gradient.map { a * $0 } }, count: 1)
            try sums.add(weights: generator.floats(layer.outputs * layer.patchSize), isTransposed: false)
            layers[layer.name] = sums
        }
        let provenance = Provenance(
            network: network.name, networkDigest: NetworkDigest.digest(of: network), data: digest, dataDigest: digest,
            preprocessing: "{}", images: 1, version: "0")
        return GradientStatistics(provenance: provenance, source: .predictions, draws: draws, layers: layers)
    }

    @Test func surviveAFileAndAddUp() throws {
        let network = try SmallNetwork.residual()
        let folder = try TemporaryFolder()
        let first = try statistics(network, seed: 1, digest: "a")
        let second = try statistics(network, seed: 2, digest: "b")
        try first.write(to: folder.file("a.gradients"))
        let read = try GradientStatistics(path: folder.file("a.gradients"))
        #expect(read.provenance == first.provenance && read.source == .predictions && read.draws == 1)
        #expect(read.layerNames == network.weightedLayers().map(\.name).sorted())
        try read.check(against: network)
        let merged = try GradientStatistics(merging: [read, second])
        #expect(merged.provenance.images == 2)
        for layer in network.weightedLayers() {
            let (a, b) = (try first.gradients(of: layer), try second.gradients(of: layer))
            let sum = try merged.gradients(of: layer)
            #expect(try read.gradients(of: layer).outputMoment() == a.outputMoment())
            #expect(try read.gradients(of: layer).fisherInformation() == a.fisherInformation())
            #expect(sum.count == 2)
            let (moment, one, two) = (sum.outputMoment(), a.outputMoment(), b.outputMoment())
            let (fisher, left, right) = (
                try sum.fisherInformation(), try a.fisherInformation(), try b.fisherInformation()
            )
            for index in moment.elements.indices {
                #expect(abs(moment.elements[index] - (one.elements[index] + two.elements[index]) / 2) < 1e-12)
            }
            for index in fisher.elements.indices {
                #expect(abs(fisher.elements[index] - left.elements[index] - right.elements[index]) < 1e-12)
            }
        }
    }

    @Test func refusesWhatDoesNotGoTogether() throws {
        let network = try SmallNetwork.residual()
        let one = try statistics(network, seed: 1, digest: "a")
        #expect(throws: StatisticsError.self) { try GradientStatistics(merging: [one, one]) }
        let drawn = try statistics(network, seed: 2, digest: "b", draws: 4)
        #expect(throws: StatisticsError.self) { try GradientStatistics(merging: [one, drawn]) }
        #expect(throws: StatisticsError.empty) { try GradientStatistics(merging: []) }
        let other = try SmallNetwork.residual(seed: 7)
        #expect(throws: StatisticsError.self) { try one.check(against: other) }
        // Sigma is no gradient, nor the other way round.
        let folder = try TemporaryFolder()
        try one.write(to: folder.file("a.gradients"))
        #expect(throws: StatisticsError.self) { try Statistics(path: folder.file("a.gradients")) }
    }

    /// A fully connected layer's weights may lie the other way round in the file.
    @Test func transposedWeightsAreTheSame() throws {
        var (a, b) = (try LayerGradients(outputs: 2, patchSize: 3), try LayerGradients(outputs: 2, patchSize: 3))
        try a.add(weights: [1, 2, 3, 4, 5, 6], isTransposed: false)
        try b.add(weights: [1, 4, 2, 5, 3, 6], isTransposed: true)
        #expect(try a.fisherInformation() == b.fisherInformation())
        #expect(try a.fisherInformation()[1, 2] == 36)
    }
}
