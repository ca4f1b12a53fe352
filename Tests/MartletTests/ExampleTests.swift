import Foundation
import Martlet
import Testing

// The code between the lines "Example NAME begins" and "ends" is what Sources/Martlet/Documentation.docc shows, letter by
// letter: `theDocumentationShowsTheseExamples` holds the two together. Change both.

// Example compress begins
/// Compresses a network with images that need no labels, and tells what became of its accuracy.
func compress(_ path: String, calibration: String, test: String, sigma: String, output: String) throws {
    let pool = ThreadPool()
    let model = try Model(path: path)
    var options = PreprocessingOptions()
    options.preset = "fashion-mnist"
    let preprocessing = try model.preprocessing(options)

    // What every layer gets to see. Gathered once, it serves any number of compressions.
    let images = try DataSets.open(calibration).limited(to: 500)
    let statistics = try model.gatherStatistics(on: images, preprocessing: preprocessing, pool: pool)
    try statistics.write(to: sigma)

    let compressor = Compressor(method: .tucker2ALSSigma, ranks: .vbmf(ratio: 0.7), pool: pool)
    let (small, report) = try model.compressed(by: compressor, statistics: statistics, preprocessing: options)
    for layer in report.layers {
        print(layer.name, layer.kept ?? "ranks \(layer.ranks ?? []), error \(layer.sigmaError ?? 0)")
    }
    try ONNXWriter.write(small.network, to: output)

    // The new file carries the preprocessing, so nobody has to say it again.
    let written = try Model(path: output)
    let result = try written.evaluate(
        on: try DataSets.open(test), preprocessing: try written.preprocessing(PreprocessingOptions()),
        reference: (model, preprocessing), pool: pool)
    print("\(report.compressionRate) times fewer parameters, agreement \(result.agreement ?? 0)")
    if let top1 = result.top1 { print("top-1 \(top1)") }
}
// Example compress ends

// Example run begins
/// Runs a network on a batch of one and returns how many numbers each layer took in.
func layerInputs(_ path: String) throws -> [String: Int] {
    let model = try Model(path: path)
    let executor = try Executor(network: model.network, pool: ThreadPool(threadCount: 2))
    let input = model.network.inputs[0]
    let shape = try Shape(input.type.dimensions.map { $0.value ?? 1 })
    let zeros = try Tensor(zeros: shape, elementType: .float32)

    var counts: [String: Int] = [:]
    let observer = Observer { layer, input in counts[layer] = input.shape.elementCount }
    let outputs = try executor.run([input.name: zeros], observing: observer)
    for (name, tensor) in outputs { print(name, tensor.shape) }
    return counts
}
// Example run ends

// Example errors begins
/// What to tell a person when a network cannot be read.
func complaint(about path: String) -> String? {
    do {
        _ = try Model(path: path)
        return nil
    } catch let error as any MartletError {
        return [error.description, error.remedy].compactMap { $0 }.joined(separator: "\n")
    } catch {
        return "\(error)"
    }
}
// Example errors ends

@Suite("The examples of the documentation")
struct ExampleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let network = root + "/models/fashion-mnist-resnet.onnx"

    @Test("A network is compressed, written and evaluated")
    func compression() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let data = try Self.dataSet(count: 20, in: folder.path)
        let (sigma, output) = (folder.path + "/sigma.safetensors", folder.path + "/small.onnx")

        try compress(Self.network, calibration: data, test: data, sigma: sigma, output: output)

        let (original, small) = (try Model(path: Self.network), try Model(path: output))
        let costs = (try original.inspection(), try small.inspection())
        #expect(costs.1.parameters < costs.0.parameters)
        #expect(costs.1.multiplyAdds < costs.0.multiplyAdds)
        #expect(small.network[metadata: Model.recipeKey]?.contains("tucker2-als-sigma") == true)
        #expect(try small.preprocessing(PreprocessingOptions()) == Preprocessing.preset("fashion-mnist"))
        let statistics = try Statistics(path: sigma)
        #expect(statistics.provenance.images == 20)
        try statistics.check(against: original.network)
    }

    @Test("Layers are observed")
    func observation() throws {
        let counts = try layerInputs(Self.network)
        let layers = try Model(path: Self.network).network.weightedLayers()
        #expect(Set(counts.keys) == Set(layers.map(\.name)))
        #expect(counts[layers[0].name] == 28 * 28)
    }

    @Test("Errors say what to do")
    func errors() {
        #expect(complaint(about: Self.network) == nil)
        #expect(complaint(about: Self.root + "/README.md")?.contains("README.md") == true)
    }

    @Test("The documentation shows these examples")
    func theDocumentationShowsTheseExamples() throws {
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let articles = Self.root + "/Sources/Martlet/Documentation.docc"
        var shown: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: articles) where name.hasSuffix(".md") {
            let text = try String(contentsOfFile: articles + "/" + name, encoding: .utf8)
            for block in text.components(separatedBy: "```swift\n").dropFirst() {
                shown.append(block.components(separatedBy: "```")[0])
            }
        }
        var examples: [String] = []
        for part in source.components(separatedBy: "\n// Example ").dropFirst() {
            guard let line = part.firstIndex(of: "\n"), part[..<line].hasSuffix(" begins") else { continue }
            examples.append(String(part[part.index(after: line)...]) + "\n")
        }
        #expect(examples.count == 3)
        // `import Martlet` is shown by itself.
        #expect(Set(shown) == Set(examples + ["import Martlet\n"]))
    }

    /// Noise as an IDX file of 28x28 images, with labels beside it.
    private static func dataSet(count: Int, in folder: String) throws -> String {
        var state: UInt32 = 7
        func noise() -> UInt8 {
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
        func bigEndian(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
        let images = [0, 0, 8, 3] + bigEndian(count) + bigEndian(28) + bigEndian(28)
        let labels = [0, 0, 8, 1] + bigEndian(count)
        let path = folder + "/images-idx3-ubyte"
        try OutputFile.write(images + (0..<count * 28 * 28).map { _ in noise() }, to: path)
        try OutputFile.write(labels + (0..<count).map { UInt8($0 % 10) }, to: folder + "/labels-idx1-ubyte")
        return path
    }
}
