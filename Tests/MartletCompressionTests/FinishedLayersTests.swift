import Foundation
import MartletCompression
import MartletDecompositions
import MartletNetworks
import MartletParallelism
import MartletTestSupport
import Testing

@Suite struct FinishedLayersTests {
    let pool = ThreadPool(threadCount: 2)
    struct Stop: Error {}

    private func compressor(_ folder: TemporaryFolder) throws -> Compressor {
        var compressor = Compressor(
            rules: LayerRules(methods: [.convolution: .cpALS, .pointwise: .svd]), ranks: .vbmf(ratio: 0.9), pool: pool)
        let finished = FinishedLayers(path: folder.file("layers"))
        try finished.prepare()
        try finished.prepare()
        compressor.finishedLayers = finished
        return compressor
    }

    @Test func anInterruptedCompressionGoesOn() throws {
        let folder = try TemporaryFolder()
        let network = try SmallNetwork.residual()
        var compressor = try compressor(folder)
        let plain = try Compressor(rules: compressor.rules, ranks: compressor.ranks, pool: pool)
            .compress(network, statistics: nil)

        #expect(throws: Stop.self) {
            try compressor.compress(network, statistics: nil, progress: { _, done, _ in if done == 2 { throw Stop() } })
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.file("layers"))
        #expect(files.count >= 2 && files.allSatisfy { $0.hasSuffix(".layer.safetensors") })

        // A damaged file is not looked at, and neither are a stranger's and one of another request.
        let damaged = folder.file("layers/" + files.sorted()[0])
        try Data(try Data(contentsOf: URL(fileURLWithPath: damaged)).prefix(100)).write(
            to: URL(fileURLWithPath: damaged))
        try Data("hello".utf8).write(to: URL(fileURLWithPath: folder.file("layers/0.layer.safetensors")))
        let resumed = try compressor.compress(network, statistics: nil)
        #expect(resumed.network == plain.network)
        func timeless(_ report: CompressionReport) -> CompressionReport {
            var report = report
            for index in report.layers.indices { report.layers[index].seconds = 0 }
            return report
        }
        #expect(timeless(resumed.report) == timeless(plain.report))

        // Now all are there: nothing is decomposed again, and the times are those of the first run.
        let again = try compressor.compress(network, statistics: nil)
        #expect(again.report == resumed.report)
        #expect(again.network == plain.network)
        compressor.options.seed = 1
        #expect(try compressor.compress(network, statistics: nil).report != again.report)

        compressor.finishedLayers?.remove()
        #expect(try folder.contents().isEmpty)
    }
}
