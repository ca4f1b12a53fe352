import Foundation
import Martlet
import MartletTestSupport
import Testing

/// The main road, as a person walks it.
@Suite struct MainRoadTests {
    let runner: CommandRunner

    init() throws { runner = try CommandRunner() }

    @Test func evaluateSigmaCompressEvaluate() throws {
        try runner.network()
        try runner.images()
        let before = try runner.martlet("evaluate", "net.onnx", "images.bin", "--json")
        #expect(before.status == 0, "\(before.error)")
        #expect(before.error.isEmpty)
        let figures = try before.json()
        #expect(figures["images"] as? Int == 24)
        #expect(figures["top1"] is Double && figures["top5"] is Double && figures["loss"] is Double)
        #expect((figures["top1_interval"] as? [Double])?.count == 2)

        let sigma = try runner.martlet(
            "sigma", "net.onnx", "images.bin", "-o", "s.safetensors", "--limit", "20")
        #expect(sigma.status == 0, "\(sigma.error)")
        #expect(sigma.output.contains("6 layers over 20 images"))

        let compress = try runner.martlet(
            "compress", "net.onnx", "--sigma", "s.safetensors", "--vbmf-ratio", "0.9", "-o", "small.onnx", "--json")
        #expect(compress.status == 0, "\(compress.error)")
        let report = try compress.json()
        #expect(report["methods"] as? [String: String] == ["conv": "tucker2-als-sigma"])
        let (old, new) = (report["parameters_before"] as? Int ?? 0, report["parameters_after"] as? Int ?? 0)
        #expect(new < old && new > 0)

        // The preprocessing travels with the file.
        let after = try runner.martlet("evaluate", "small.onnx", "images.bin", "--reference", "net.onnx", "--json")
        #expect(after.status == 0, "\(after.error)")
        #expect(try after.json()["agreement"] is Double)

        let inspect = try runner.martlet("inspect", "small.onnx", "--json")
        #expect(try inspect.json()["parameters"] as? Int == new)

        // The same from images in one command, byte for byte.
        let direct = try runner.martlet(
            "compress", "net.onnx", "--images", "images.bin", "--limit", "20", "--vbmf-ratio", "0.9",
            "--threads", "1", "-o", "direct.onnx")
        #expect(direct.status == 0, "\(direct.error)")
        #expect(direct.output.contains("times fewer parameters"))
        let files = try ["small.onnx", "direct.onnx"].map {
            try Data(contentsOf: URL(fileURLWithPath: runner.folder.file($0)))
        }
        #expect(files[0] == files[1])
        #expect(
            try runner.folder.contents() == ["direct.onnx", "images.bin", "net.onnx", "s.safetensors", "small.onnx"])
    }

    @Test func flagsOverrideAndTravel() throws {
        try runner.network()
        try runner.images()
        let flags = ["--mean", "0.2", "--channels", "bgr"]
        let compress = try runner.shell(
            "\"$MARTLET\" compress net.onnx --images images.bin \(flags.joined(separator: " ")) --vbmf-ratio 0.9 -o a.onnx"
        )
        #expect(compress.status == 0, "\(compress.error)")
        let said = try Model(path: runner.folder.file("a.onnx")).preprocessing(PreprocessingOptions())
        #expect(said.mean == [0.2])
        #expect(said.channels == .bgr)
        #expect(said.crop == .init(width: 12, height: 12))
        #expect(said.standardDeviation == [0.3])
        // And through a file of statistics.
        let sigma = try runner.shell(
            "\"$MARTLET\" sigma net.onnx images.bin \(flags.joined(separator: " ")) -o s.safetensors")
        #expect(sigma.status == 0, "\(sigma.error)")
        let again = try runner.martlet(
            "compress", "net.onnx", "--sigma", "s.safetensors", "--vbmf-ratio", "0.9", "-o", "b.onnx")
        #expect(again.status == 0, "\(again.error)")
        #expect(try Model(path: runner.folder.file("b.onnx")).preprocessing(PreprocessingOptions()) == said)
    }

    @Test func runClassifyBenchmark() throws {
        try runner.network()
        var generator = SeededGenerator(seed: 8)
        let x = try Tensor(generator.floats(2 * 3 * 144), shape: [2, 3, 12, 12])
        try NumPyFile.write(x, to: runner.folder.file("x.npy"))
        let run = try runner.martlet("run", "net.onnx", "--input", "x.npy", "--output", "y.npy")
        #expect(run.status == 0, "\(run.error)")
        let y = try NumPyFile.read(path: runner.folder.file("y.npy"))
        #expect(y.shape == [2, 4])
        let network = try Model(path: runner.folder.file("net.onnx")).network
        let expected = try Executor(network: network, pool: ThreadPool(threadCount: 1)).run(["input": x])
        #expect(expected[network.outputs[0].name] == y)

        let golden = Repository.root + "/Tests/MartletImagesTests/Goldens"
        let picture = try #require(FileManager.default.subpaths(atPath: golden)?.filter { $0.hasSuffix(".jpg") }.min())
        try "cat\ndog\nbird\nfish\n".write(toFile: runner.folder.file("names.txt"), atomically: true, encoding: .utf8)
        let classify = try runner.martlet(
            "classify", "net.onnx", golden + "/" + picture, "--resize", "12x12", "--crop", "none", "--labels",
            "names.txt", "--top", "2")
        #expect(classify.status == 0, "\(classify.error)")
        #expect(classify.output.split(separator: "\n").count == 3)

        let benchmark = try runner.martlet("benchmark", "net.onnx", "--seconds", "0.05", "--threads", "1", "--json")
        #expect(benchmark.status == 0, "\(benchmark.error)")
        #expect(try (benchmark.json()["latencies_ms"] as? [Double] ?? []).count >= 5)
        let profile = try runner.martlet("benchmark", "net.onnx", "--seconds", "0.05", "--profile", "--json")
        let layers = try profile.json()["nodes"] as? [[String: Any]] ?? []
        let inspection = try runner.martlet("inspect", "net.onnx", "--json").json()
        #expect(layers.reduce(0) { $0 + ($1["macs"] as? Int ?? 0) } == inspection["macs"] as? Int)
        #expect(layers.contains { $0["algorithm"] as? String == "direct" })
        #expect(layers.allSatisfy { $0["milliseconds"] as? Double ?? -1 >= 0 })
        let tuned = try runner.martlet("benchmark", "net.onnx", "--seconds", "0.05", "--tune", "--json")
        #expect(tuned.status == 0, "\(tuned.error)")
        let kept = try Data(contentsOf: URL(fileURLWithPath: runner.folder.file("net.onnx.tuning.json")))
        let choices = try JSONDecoder().decode(Tuning.self, from: kept).choices
        #expect(choices.contains { $0.algorithm.hasPrefix("Winograd") || $0.algorithm == "direct" })
        let tunedRun = try runner.martlet("run", "net.onnx", "--input", "x.npy", "--output", "z.npy", "--tune")
        #expect(tunedRun.status == 0, "\(tunedRun.error)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: runner.folder.file("net.onnx.tuning.json"))) == kept)
        let roofline = try runner.martlet("benchmark", "--roofline", "--seconds", "0.1", "--threads", "1", "--json")
        #expect(roofline.status == 0, "\(roofline.error)")
        for roof in ["gigaflops", "memoryGigabytes", "cacheGigabytes"] {
            #expect(try roofline.json()[roof] as? Double ?? 0 > 0.1)
        }
        #expect(try runner.martlet("benchmark").status == 64)
        #expect(try runner.martlet("benchmark", "net.onnx", "--roofline").status == 64)
        #expect(try runner.martlet("benchmark", "--roofline", "--tune").status == 64)
    }

    @Test func helpIsThere() throws {
        let help = try runner.martlet("--help")
        #expect(help.status == 0)
        for command in ["inspect", "run", "classify", "evaluate", "sigma", "compress", "benchmark"] {
            #expect(help.output.contains(command))
            #expect(try runner.martlet(command, "--help").status == 0)
        }
        #expect(try runner.martlet("--version").output.contains(MartletVersion.current))
    }
}
