import Foundation
import MartletInference
import MartletNetworks
import MartletONNXFormat
import MartletTensors
import MartletTestSupport
import Testing

/// Whole networks against what ONNX Runtime answers (`tools/record-network-goldens.py`).
///
/// Those in `../shared/models` are not part of the repository; without them there is nothing to compare, which is said.
@Suite struct RealNetworkTests {
    private struct Golden: Decodable {
        let model: String
        let scale: Float
        let shape: [Int]
        let logits: [Float]

        /// The input, by the formula in the script.
        var input: Tensor {
            get throws {
                var state: UInt32 = 1
                var values: [Float] = []
                values.reserveCapacity(shape.reduce(1, *))
                for _ in 0..<shape.reduce(1, *) {
                    state = 1_664_525 &* state &+ 1_013_904_223
                    values.append((Float(state >> 8) / 16_777_216 - 0.5) * scale)
                }
                return try Tensor(values, shape)
            }
        }
    }

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test(arguments: [
        "fashion-mnist-resnet", "resnet20-cifar10", "resnet32-cifar10", "resnet18-imagenet", "googlenet-imagenet",
    ]) func answersAsONNXRuntimeDoes(name: String) throws {
        let file = Self.root.appendingPathComponent("Tests/Goldens/networks/\(name).json")
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
        let paths = ["models/\(golden.model)", "../shared/models/\(golden.model)"]
            .map { Self.root.appendingPathComponent($0).path }
        guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            print("skipped \(name): the network is not there")
            return
        }
        let network = try ONNXReader.read(path: path).simplified()
        let (input, output) = (network.inputs[0].name, network.outputs[0].name)
        let x = try golden.input
        func logits(_ x: Tensor, threads: Int) throws -> [Float] {
            let executor = try Executor(network: network, pool: pools[threads - 1])
            return try #require(try executor.run([input: x])[output]).floats
        }
        let whole = try logits(x, threads: 2)
        #expect(relativeDifference(whole, golden.logits.map { Double($0) }) < 1e-5)
        // The same bits image by image, on other numbers of threads.
        let apart = try logits(x.images(0..<1), threads: 1) + logits(x.images(1..<2), threads: 3)
        #expect(apart.map(\.bitPattern) == whole.map(\.bitPattern))
    }
}
