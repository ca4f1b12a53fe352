import Martlet
import MartletTestSupport
import Testing

/// Decompositions of the layers of a real network, by what real images put into them.
@Suite struct RealLayerTests {
    let pool = ThreadPool(threadCount: 2)

    /// The joint form of each method ends at or below the reference of the paper, one factor at a time.
    @Test(arguments: [DecompositionMethod.tucker2ALSSigma, .cpALSSigma])
    func theJointFormIsNoWorse(method: DecompositionMethod) throws {
        guard let path = Repository.shared("models/resnet20-cifar10.onnx"),
            let images = Repository.shared("data/cifar10/data_batch_1.bin")
        else { return }
        let model = try Model(path: path)
        let preprocessing = try Preprocessing(
            contentsOf: try #require(Repository.shared("models/resnet20-cifar10.preprocessor_config.json")))
        let statistics = try model.gatherStatistics(
            on: Subset(DataSets.open(images), limit: 200, choice: .first), preprocessing: preprocessing, pool: pool)
        var joint = Compressor(method: method, ranks: .vbmf(ratio: 0.8), pool: pool)
        // Reference sweeps of CP are long; a few layers tell as much.
        if method == .cpALSSigma { joint.rules.include = [NamePattern("*layer1.1*"), NamePattern("*layer2.1*")] }
        var turns = joint
        turns.options.update = .oneBlockAtATime
        if method == .cpALSSigma { turns.options.conjugateGradientSteps = 20 }
        let reports = try [joint, turns].map { compressor in
            try compressor.compress(model.network.simplified(), statistics: statistics).report.layers
                .filter { $0.kept == nil }
        }
        #expect(reports[0].count >= (method == .cpALSSigma ? 4 : 15))
        for (layer, reference) in zip(reports[0], reports[1]) {
            let (found, wanted) = (layer.trace?.last ?? 1, reference.trace?.last ?? 0)
            #expect(found <= wanted * (1 + 1e-3), "\(layer.name)")
        }
    }
}
