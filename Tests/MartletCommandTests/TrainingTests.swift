import Foundation
import Martlet
import MartletTestSupport
import Testing

/// Training, fine-tuning and gradients by command.
@Suite struct TrainingTests {
    let runner: CommandRunner

    init() throws {
        runner = try CommandRunner()
        try runner.network()
        try runner.images(count: 24)
    }

    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: runner.folder.file(name)))
    }

    private func isThere(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: runner.folder.file(name))
    }

    @Test func fineTunesWhatWasCompressed() throws {
        let compressed = try runner.martlet(
            "compress", "net.onnx", "--method", "tucker2-als", "--vbmf-ratio", "0.8", "-o", "small.onnx")
        #expect(compressed.status == 0, "\(compressed.error)")
        let result = try runner.martlet(
            "finetune", "small.onnx", "images.bin", "--teacher", "net.onnx", "--epochs", "2", "--batch", "6",
            "--learning-rates", "1e-6,1e-3", "--json", "-o", "tuned.onnx")
        #expect(result.status == 0, "\(result.error)")
        let epochs = try #require(result.json()["epochs"] as? [[String: Any]])
        #expect(epochs.count == 4)
        #expect(epochs.allSatisfy { ($0["held_back_loss"] as? Double)?.isFinite ?? false })
        #expect(!isThere("tuned.onnx.checkpoint"))
        let (before, after) = (
            try Model(path: runner.folder.file("small.onnx")).network,
            try Model(path: runner.folder.file("tuned.onnx")).network
        )
        #expect(before.nodes == after.nodes && before.constants != after.constants)
        #expect(after[metadata: Model.preprocessingKey] == before[metadata: Model.preprocessingKey])
        #expect(after[metadata: Model.trainingKey] != nil)
    }

    /// Compressed, refined and held in bytes by one command; or in two, with the same result.
    @Test func refinesWhatItCompresses() throws {
        let compress = "\"$MARTLET\" compress net.onnx --images images.bin --vbmf-ratio 0.9"
        let result = try runner.shell("\(compress) --refine 3 --json -o refined.onnx")
        #expect(result.status == 0, "\(result.error)")
        let refinement = try #require(result.json()["refinement"] as? [String: Any])
        let before = try #require(refinement["before"] as? [String: Double])
        let after = try #require(refinement["after"] as? [String: Double])
        #expect(try #require(after["loss"]) <= #require(before["loss"]))
        #expect(!isThere("refined.onnx.checkpoint") && !isThere("refined.onnx.layers"))
        #expect(try runner.shell("\(compress) -o small.onnx").status == 0)
        let (small, refined) = (
            try Model(path: runner.folder.file("small.onnx")).network,
            try Model(path: runner.folder.file("refined.onnx")).network
        )
        #expect(small.nodes == refined.nodes && small.constants != refined.constants)
        let bytes = try runner.shell("\(compress) --refine 1 --then int8 -o bytes.onnx")
        #expect(bytes.status == 0, "\(bytes.error)")
        #expect(bytes.output.contains("refined in 1 pass:") || bytes.output.contains("not refined"))
        #expect(
            try runner.martlet("compress", "net.onnx", "--method", "cp-als", "--refine", "1", "-o", "x").status == 64)
        #expect(
            try runner.martlet("finetune", "small.onnx", "images.bin", "--learn", "layers", "-o", "x").status == 64)
    }

    @Test func interruptedAndResumed() throws {
        let arguments = "net.onnx images.bin --epochs 6 --batch 4 --threads 1 --seed 3"
        let whole = try runner.shell("\"$MARTLET\" train \(arguments) -o whole.onnx")
        #expect(whole.status == 0, "\(whole.error)")
        let interrupted = try runner.shell(
            """
            "$MARTLET" train \(arguments) -o part.onnx & process=$!
            while [ ! -e part.onnx.checkpoint ] && kill -0 $process; do sleep 0.05; done
            kill -INT $process; wait $process
            """)
        // It may have been faster than the signal.
        if interrupted.status != 0 {
            #expect(interrupted.status == 130)
            #expect(interrupted.error.contains("--resume"))
            #expect(isThere("part.onnx.checkpoint") && !isThere("part.onnx"))
            let others = arguments.replacingOccurrences(of: "--threads 1", with: "--threads 2")
            let rest = try runner.shell("\"$MARTLET\" train \(others) -o part.onnx --resume")
            #expect(rest.status == 0, "\(rest.error)")
        }
        #expect(try bytes("part.onnx") == bytes("whole.onnx"))
    }

    @Test func gradients() throws {
        var generator = SeededGenerator(seed: 1)
        let x = try Tensor(generator.floats(2 * 3 * 12 * 12), shape: [2, 3, 12, 12])
        try NumPyFile.write(x, to: runner.folder.file("x.npy"))
        try NumPyFile.write(try Tensor([0 as Int64, 1], shape: [2]), to: runner.folder.file("labels.npy"))
        let result = try runner.martlet(
            "differentiate", "net.onnx", "--input", "x.npy", "--labels", "labels.npy", "-o", "g.safetensors")
        #expect(result.status == 0, "\(result.error)")
        let reader = try SafetensorsReader(path: runner.folder.file("g.safetensors"))
        let model = try Model(path: runner.folder.file("net.onnx"))
        let expected = try model.gradients(input: x, labels: [0, 1], pool: ThreadPool(threadCount: 1))
        #expect(Set(reader.names) == Set(expected.gradients.map(\.name)))
        for (name, gradient) in expected.gradients { #expect(try reader.tensor(name) == gradient) }
    }

    @Test func whatIsWrongIsSaid() throws {
        let wrong = try runner.martlet("finetune", "net.onnx", "images.bin", "--learning-rates", "x", "-o", "y.onnx")
        #expect(wrong.status == 64)
        let held = try runner.martlet("finetune", "net.onnx", "images.bin", "--hold-back", "0", "-o", "y.onnx")
        #expect(held.status == 1 && held.error.contains("--hold-back"))
        #expect(!isThere("y.onnx"))
    }
}
