import Foundation
import Martlet
import MartletTestSupport
import Testing

/// Long compressions at the command line.
@Suite struct CompressTests {
    let runner: CommandRunner

    init() throws { runner = try CommandRunner() }

    /// The times that finished layers have in a folder, by the digest that names their files.
    private func seconds(in folder: String) throws -> [Double] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
            // The entry of the report stands in the file's header, as JSON within JSON.
            let text = String(decoding: data.prefix(1 << 16), as: UTF8.self).replacing("\\", with: "")
            let number = try #require(text.split(separator: "\"seconds\":").dropFirst().first)
            return try #require(Double(number.prefix { "0123456789.e-+".contains($0) }))
        }
    }

    @Test func ctrlCLeavesNothingHalfWrittenAndResumeSkipsWhatIsDone() throws {
        // Ten layers, of which the largest come first and none takes long.
        let network = Repository.root + "/models/fashion-mnist-resnet.onnx"
        let job = "compress '\(network)' --method cp-als --vbmf-ratio 0.9 --threads 1 --sweeps 10"
        let whole = try runner.shell("\"$MARTLET\" \(job) -o whole.onnx --json")
        #expect(whole.status == 0, "\(whole.error)")

        // Interrupted as soon as one layer is done.
        let stopped = try runner.shell(
            """
            "$MARTLET" \(job) -o small.onnx & pid=$!
            for i in $(seq 2000); do ls small.onnx.layers/*.safetensors >/dev/null 2>&1 && break; sleep 0.01; done
            kill -INT $pid; wait $pid
            """)
        #expect(stopped.status == 130, "\(stopped.error)")
        #expect(stopped.error.contains("--resume"))
        #expect(try runner.folder.contents() == ["small.onnx.layers", "whole.onnx"])
        let folder = runner.folder.file("small.onnx.layers")
        let done = try seconds(in: folder)
        #expect(!done.isEmpty && done.count < 10)

        let resumed = try runner.shell("\"$MARTLET\" \(job) -o small.onnx --resume --json")
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(try runner.folder.contents() == ["small.onnx", "whole.onnx"])
        let files = try ["small.onnx", "whole.onnx"].map {
            try Data(contentsOf: URL(fileURLWithPath: runner.folder.file($0)))
        }
        #expect(files[0] == files[1])
        // What was done has its time from then: it was not done again.
        let layers = try #require(try resumed.json()["layers"] as? [[String: Any]])
        let times = layers.compactMap { $0["seconds"] as? Double }
        for time in done { #expect(times.contains(time)) }
    }
}
