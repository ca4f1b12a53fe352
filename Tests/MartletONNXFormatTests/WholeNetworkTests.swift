import Foundation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors
import Testing

@testable import MartletONNXFormat

/// Whole networks against the logits that ONNX Runtime computed (`tools/record-network-goldens.py`).
@Suite struct WholeNetworkTests {
    private struct Golden: Decodable {
        var model: String
        var sha256: String
        var scale: Float
        var shape: [Int]
        var logits_shape: [Int]
        var logits: [Float]
    }

    /// Relative to the largest logit.
    private static let tolerance: Float = 1e-4

    private static var goldens: [String] {
        let folder = NetworkFiles.root.appendingPathComponent("Tests/Goldens/networks")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".json") }.sorted().map { folder.appendingPathComponent($0).path }
    }

    @Test func thereAreGoldens() { #expect(Self.goldens.count >= 5) }

    @Test(arguments: goldens) func logitsAreThoseOfONNXRuntime(_ path: String) throws {
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        guard let file = NetworkFiles.realNetworks.first(where: { $0.lastPathComponent == golden.model }) else {
            print("skipped: \(golden.model) is not there")
            return
        }
        try #require(try sha256(file) == golden.sha256, "\(golden.model) is another file than the one recorded")
        let stored = try ONNXReader.read(path: file.path)
        let input = try Tensor(formula(golden), shape: Shape(golden.shape))
        let pool = ThreadPool()
        for (form, network) in [("as stored", stored), ("simplified", try stored.simplified())] {
            let outputs = try Executor(network: network, pool: pool).run([network.inputs[0].name: input])
            let logits = try #require(outputs["logits"])
            #expect(logits.shape.extents == golden.logits_shape)
            let found = try logits.elements(Float.self)
            let largest = golden.logits.map(abs).max() ?? 0
            let difference = zip(found, golden.logits).map { abs($0 - $1) }.max() ?? .infinity
            #expect(
                found.count == golden.logits.count && difference <= Self.tolerance * largest, "\(form): \(difference)")
            print("\(golden.model) \(form): \(difference / largest) of the largest logit")
        }
    }

    /// The input that the script states, to the bit.
    private func formula(_ golden: Golden) -> [Float] {
        var state: UInt32 = 1
        return (0..<golden.shape.reduce(1, *)).map { _ in
            state = 1_664_525 &* state &+ 1_013_904_223
            return (Float(state >> 8) / 16_777_216 - 0.5) * golden.scale
        }
    }

    private func sha256(_ file: URL) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sha256sum", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // A backslash stands before the digits where the path is an unusual one.
        return String(text.drop { $0 == "\\" }.prefix(64))
    }
}

/// What is left of real networks when their glue is gone.
@Suite struct SimplifiedNetworkTests {
    @Test func noGlueIsLeft() throws {
        for path in NetworkFiles.realNetworks {
            let network = try ONNXReader.read(path: path.path).simplified()
            let kinds = Set(network.nodes.map(\.operation.kind))
            let glue: Set = ["shape", "gather", "constantOfShape", "cast", "unsqueeze", "identity", "dropout"]
            #expect(kinds.isDisjoint(with: glue), "\(path.lastPathComponent): \(kinds.sorted())")
            if path.lastPathComponent.hasPrefix("resnet") {
                #expect(!kinds.contains("reshape") && !kinds.contains("batchNormalization"), "\(kinds.sorted())")
            }
            #expect(network.inputs[0].type.dimensions[0].value == nil, "the batch is no longer dynamic")
        }
    }
}
