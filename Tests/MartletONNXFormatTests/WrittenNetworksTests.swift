import Foundation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletONNXFormat

/// Networks that Martlet writes, before the ONNX checker and ONNX Runtime.
@Suite struct WrittenNetworksTests {
    /// Writes a network and what Martlet computes with it.
    private func add(
        _ name: String, _ network: Network, _ inputs: [String: Tensor], to cases: ONNXRuntimeCases
    ) throws {
        let outputs = try Executor(network: network, pool: ThreadPool()).run(inputs)
        let model = "\(name).onnx"
        try ONNXWriter.write(network, to: cases.folder.appendingPathComponent(model).path)
        try cases.add(
            model, inputs: try network.inputs.map { ($0.name, try #require(inputs[$0.name])) },
            outputs: try network.outputs.map { ($0.name, try #require(outputs[$0.name])) },
            metadata: network.metadata.map { [$0.key, $0.value] })
    }

    @Test func randomNetworksRunTheSameElsewhere() throws {
        let cases = try ONNXRuntimeCases()
        for seed in 0..<UInt64(6 * NetworkMaker.blockCount) {
            var (maker, network) = try NetworkMaker.network(
                seed: seed, first: Int(seed) % NetworkMaker.blockCount, blocks: seed < NetworkMaker.blockCount ? 1 : 4)
            let images = try maker.images(batch: seed % 2 == 0 ? 1 : 3)
            try add("random\(seed)", network, ["input": images], to: cases)
        }
        guard let result = try cases.check() else { return }
        print(result.text)
        #expect(result.isClean, "\(result.text)")
    }

    /// The random networks are of no use for an operation that none of them has.
    @Test func randomNetworksHaveEveryOperation() throws {
        var kinds: Set<String> = []
        for seed in 0..<UInt64(2 * NetworkMaker.blockCount) {
            let (_, network) = try NetworkMaker.network(seed: seed, first: Int(seed) % NetworkMaker.blockCount)
            kinds.formUnion(network.nodes.map(\.operation.kind))
        }
        let all = """
            activation arithmetic averagePool batchNormalization cast clip concat constantOfShape convolution dropout equal
            expand flatten gather gemm globalAveragePool globalMaxPool identity localResponseNormalization matMul maxPool
            pad parametricRelu reduceMean reshape select shape slice softmax split squeeze sum transpose unsqueeze
            """
        #expect(kinds.sorted() == all.split { $0.isWhitespace }.map(String.init))
    }

    @Test func realNetworksRunTheSameElsewhere() throws {
        let cases = try ONNXRuntimeCases()
        for path in NetworkFiles.realNetworks {
            let network = try ONNXReader.read(path: path.path).simplified()
            let type = network.inputs[0].type
            let shape = try Shape([1] + type.dimensions.dropFirst().map { $0.value ?? 1 })
            var generator = SeededGenerator(seed: 7)
            try add(
                path.deletingPathExtension().lastPathComponent, network,
                [network.inputs[0].name: try Tensor(generator.floats(shape.elementCount), shape: shape)], to: cases)
        }
        guard let result = try cases.check() else { return }
        print(result.text)
        #expect(result.isClean, "\(result.text)")
    }

    @Test func namesMetadataAndBatchSurviveARoundTrip() throws {
        for seed in 0..<UInt64(NetworkMaker.blockCount) {
            let (_, network) = try NetworkMaker.network(seed: seed, first: Int(seed))
            let bytes = try ONNXWriter.bytes(of: network)
            #expect(try ONNXWriter.bytes(of: network) == bytes, "the bytes of one network differ")
            let read = try bytes.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "memory") }
            #expect(read.name == network.name && read.metadata == network.metadata)
            #expect(read.documentation == network.documentation)
            #expect(read.inputs == network.inputs && read.outputs == network.outputs)
            #expect(Set(network.nodes.map(\.name)).isSubset(of: read.nodes.map(\.name)), "seed \(seed)")
            let values = Set(read.nodes.flatMap { $0.outputs.compactMap { $0 } })
            #expect(Set(network.nodes.flatMap { $0.outputs.compactMap { $0 } }).isSubset(of: values), "seed \(seed)")
            let again = try ONNXWriter.bytes(of: read)
            let third = try again.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "memory") }
            #expect(third == read, "seed \(seed): what was read once is not read the same again")
        }
    }

    @Test func fusedNetworksComeApartForTheFile() throws {
        for seed in 0..<UInt64(NetworkMaker.blockCount) {
            var (maker, network) = try NetworkMaker.network(seed: 100 + seed, first: Int(seed))
            let images = try maker.images(batch: 2)
            let before = try Executor(network: network).run(["input": images])
            let bytes = try ONNXWriter.bytes(of: network)
            let read = try bytes.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: "memory") }
            let after = try Executor(network: read).run(["input": images])
            for output in network.outputs.map(\.name) {
                let (a, b) = (try #require(before[output]), try #require(after[output]))
                let difference = relativeDifference(
                    try b.elements(Float.self), try a.elements(Float.self).map { Double($0) })
                #expect(difference < 1e-5, "seed \(seed), \(output)")
            }
        }
    }
}
