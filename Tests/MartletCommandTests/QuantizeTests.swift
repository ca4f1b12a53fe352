import Foundation
import Martlet
import MartletTestSupport
import Testing

/// Fewer bits at the command line.
@Suite struct QuantizeTests {
    let runner: CommandRunner

    init() throws {
        runner = try CommandRunner()
        try runner.network()
        try runner.images()
    }

    private func size(_ name: String) throws -> Int {
        try Data(contentsOf: URL(fileURLWithPath: runner.folder.file(name))).count
    }

    @Test func bothPrecisionsAndThreeSideBySide() throws {
        let half = try runner.martlet("quantize", "net.onnx", "--precision", "fp16", "-o", "half.onnx", "--json")
        #expect(half.status == 0, "\(half.error)")
        #expect(try half.json()["precision"] as? String == "fp16")
        let integer = try runner.martlet(
            "quantize", "net.onnx", "--precision", "int8", "--images", "images.bin", "-o", "int8.onnx", "--json")
        #expect(integer.status == 0, "\(integer.error)")
        #expect(integer.error.isEmpty)
        let report = try integer.json()
        let layers = try #require(report["layers"] as? [[String: Any]])
        #expect(
            layers.count == 6 && layers.allSatisfy { $0["precision"] as? String == "int8" && $0["error"] is Double })
        #expect(try size("half.onnx") < size("net.onnx"))
        #expect(try size("int8.onnx") < size("net.onnx"))

        // Both carry their preprocessing, and run.
        let compared = try runner.martlet(
            "compare", "net.onnx", "half.onnx", "int8.onnx", "--images", "images.bin", "--seconds", "0.01", "--json")
        #expect(compared.status == 0, "\(compared.error)")
        let networks = try #require(
            try JSONSerialization.jsonObject(with: Data(compared.output.utf8)) as? [[String: Any]])
        #expect(networks.count == 3)
        let agreements = networks.map { ($0["evaluation"] as? [String: Any])?["agreement"] as? Double }
        #expect(agreements[0] == nil && agreements[1] == 1)
        #expect((agreements[2] ?? 0) > 0.8)
        #expect(networks.allSatisfy { ($0["milliseconds"] as? Double ?? 0) > 0 })
        let text = try runner.martlet("compare", "net.onnx", "int8.onnx", "--seconds", "0.01")
        #expect(text.status == 0 && text.output.contains("int8.onnx"))

        // Inspection shows what the file holds, and as many parameters.
        let inspections = try ["net.onnx", "half.onnx", "int8.onnx"].map {
            try runner.martlet("inspect", $0, "--json").json()
        }
        let stored = inspections.map { ($0["stored"] as? [[String: Any]])?.compactMap { $0["type"] as? String } ?? [] }
        #expect(stored[0] == ["float32"] && stored[1].contains("float16") && stored[2].contains("int8"))
        #expect(inspections[0]["parameters"] as? Int == inspections[2]["parameters"] as? Int)
        #expect(inspections[0]["macs"] as? Int == inspections[2]["macs"] as? Int)
    }

    /// What is written runs in ONNX Runtime as it is: alone, compressed, and as the factors of CP.
    @Test func runsElsewhere() throws {
        let cases = try ONNXRuntimeCases()
        let common = ["--images", "images.bin", "-o"]
        let networks: [(name: String, tolerance: Double, command: [String])] = [
            // Halves differ by how the two add up, activations in half precision by their rounding, bytes by results that fall between two steps of a layer's scale.
            ("fp16.onnx", 1e-4, ["quantize", "net.onnx", "--precision", "fp16", "-o"]),
            ("activations.onnx", 0.01, ["quantize", "net.onnx", "--precision", "fp16", "--activations", "-o"]),
            ("int8.onnx", 0.03, ["quantize", "net.onnx", "--precision", "int8"] + common),
            (
                "tucker.onnx", 0.03,
                ["compress", "net.onnx", "--vbmf-ratio", "0.9", "--include-first", "--then", "int8"] + common
            ),
            (
                "cp.onnx", 0.03,
                ["compress", "net.onnx", "--method", "cp-als-sigma", "--vbmf-ratio", "0.9", "--then", "int8"] + common
            ),
        ]
        var generator = SeededGenerator(seed: 4)
        for (name, tolerance, command) in networks {
            let path = cases.folder.appendingPathComponent(name).path
            let result = try runner.run(command + [path])
            #expect(result.status == 0, "\(result.error)")
            let model = try Model(path: path)
            let input = try #require(model.network.inputs.first)
            let shape = try Shape([3] + input.type.dimensions.dropFirst().map { $0.value ?? 1 })
            let x = try Tensor(generator.floats(shape.elementCount), shape: shape)
            let outputs = try Executor(network: model.network).run([input.name: x])
            try cases.add(
                name, inputs: [(input.name, x)],
                outputs: try model.network.outputs.map { ($0.name, try #require(outputs[$0.name])) },
                tolerance: tolerance)
        }
        guard let result = try cases.check() else { return }
        #expect(result.isClean, "\(result.text)")
    }

    @Test func sensitiveLayersStay() throws {
        // No point may be lost: whatever it takes, the answers on these images are no worse.
        let result = try runner.martlet(
            "quantize", "net.onnx", "--precision", "int8", "--images", "images.bin", "--max-drop", "0", "-o",
            "int8.onnx",
            "--json")
        #expect(result.status == 0, "\(result.error)")
        #expect((try result.json()["drop"] as? Double ?? 100) <= 0)
    }

    @Test func compressedThenQuantized() throws {
        let result = try runner.martlet(
            "compress", "net.onnx", "--images", "images.bin", "--vbmf-ratio", "0.9", "--then", "int8", "-o",
            "small.onnx",
            "--json")
        #expect(result.status == 0, "\(result.error)")
        let report = try result.json()
        #expect((report["quantization"] as? [String: Any])?["precision"] as? String == "int8")
        #expect((report["parameters_after"] as? Int ?? 0) < (report["parameters_before"] as? Int ?? 0))
        let evaluated = try runner.martlet("evaluate", "small.onnx", "images.bin", "--json")
        #expect(evaluated.status == 0, "\(evaluated.error)")
    }

    @Test func wrongUsage() throws {
        #expect(try runner.martlet("quantize", "net.onnx", "--precision", "int8", "-o", "x.onnx").status == 64)
        #expect(try runner.martlet("quantize", "net.onnx", "--precision", "int4", "-o", "x.onnx").status == 64)
        #expect(
            try runner.martlet(
                "quantize", "net.onnx", "--precision", "fp16", "--images", "images.bin", "-o", "x.onnx"
            ).status == 64)
        #expect(
            try runner.martlet("compress", "net.onnx", "--method", "cp-als", "--then", "int8", "-o", "x").status == 64)
        // What is quantized already is said to be.
        let job = ["quantize", "net.onnx", "--precision", "int8", "--images", "images.bin", "-o", "q.onnx"]
        #expect(try runner.shell("\"$MARTLET\" \(job.joined(separator: " "))").status == 0)
        let again = try runner.martlet(
            "quantize", "q.onnx", "--precision", "int8", "--images", "images.bin", "-o", "x.onnx")
        #expect(again.status == 1 && again.error.contains("quantized already"))
        #expect(try !runner.folder.contents().contains("x.onnx"))
    }
}
