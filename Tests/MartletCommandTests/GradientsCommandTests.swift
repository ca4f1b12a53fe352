import Foundation
import Martlet
import MartletTestSupport
import Testing

/// Gradients gathered and used, as a user would.
@Suite struct GradientsCommandTests {
    let runner: CommandRunner

    init() throws {
        runner = try CommandRunner()
        try runner.network()
        try runner.images(count: 20)
    }

    @Test func gatheredGradientsServeTheCompleteNorm() throws {
        let gather = try runner.martlet("gradients", "net.onnx", "images.bin", "-o", "g", "--json")
        #expect(gather.status == 0, "\(gather.error)")
        #expect(try gather.json()["images"] as? Int == 20)
        for method in ["tucker2-als-sigma", "spatial-svd-sigma"] {
            let compress = try runner.martlet(
                "compress", "net.onnx", "--images", "images.bin", "--gradients", "g", "--norm", "complete", "--method",
                method, "-o", "small.onnx", "--json")
            #expect(compress.status == 0, "\(compress.error)")
            let layers = try #require(try compress.json()["layers"] as? [[String: Any]])
            #expect(layers.contains { $0["complete_error"] is Double })
        }
        let fisher = try runner.martlet(
            "compress", "net.onnx", "--gradients", "g", "--method", "fw-lra", "-o", "fisher.onnx")
        #expect(fisher.status == 0, "\(fisher.error)")
        // The preprocessing goes with the gradients.
        let evaluate = try runner.martlet("evaluate", "fisher.onnx", "images.bin", "--json")
        #expect(evaluate.status == 0, "\(evaluate.error)")
    }

    @Test func shardsAddUp() throws {
        #expect(try runner.martlet("gradients", "net.onnx", "images.bin", "--draws", "2", "-o", "all").status == 0)
        for shard in 1...3 {
            let result = try runner.martlet(
                "gradients", "net.onnx", "images.bin", "--draws", "2", "-o", "g\(shard)", "--shard", "\(shard)/3")
            #expect(result.status == 0, "\(result.error)")
        }
        #expect(try runner.martlet("gradients", "merge", "g3", "g1", "-o", "g31").status == 0)
        let merge = try runner.martlet("gradients", "merge", "g31", "g2", "-o", "m", "--json")
        #expect(try merge.json()["images"] as? Int == 20 && merge.json()["parts"] as? Int == 3)
        let (all, sum) = (
            try GradientStatistics(path: runner.folder.file("all")),
            try GradientStatistics(path: runner.folder.file("m"))
        )
        for layer in try Model(path: runner.folder.file("net.onnx")).network.weightedLayers() {
            let (x, y) = (try all.gradients(of: layer), try sum.gradients(of: layer))
            #expect(x.count == y.count)
            let (a, b) = (x.outputMoment().elements, y.outputMoment().elements)
            let scale = a.map(abs).max() ?? 1
            #expect(scale > 0 && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-12 * scale })
        }
        // The same images twice, and what was differentiated otherwise.
        #expect(try runner.martlet("gradients", "merge", "g1", "g1", "-o", "n").error.contains("the same images"))
        let other = try runner.martlet(
            "gradients", "net.onnx", "images.bin", "--of", "predictions", "--draws", "2", "-o", "o", "--shard", "2/3")
        #expect(other.status == 0)
        #expect(try runner.martlet("gradients", "merge", "g1", "o", "-o", "n").error.contains("different things"))
        #expect(try runner.martlet("gradients", "net.onnx", "images.bin", "-o", "n", "--shard", "1/21").status == 1)
        #expect(!(try runner.folder.contents().contains("n")))
    }

    @Test func badRequestsAreErrors() throws {
        let missing = try runner.martlet("compress", "net.onnx", "--method", "fw-lra", "-o", "small.onnx")
        #expect(missing.status == 1)
        #expect(missing.error.contains("martlet gradients"), "\(missing.error)")
        let sigma = try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "s")
        #expect(sigma.status == 0)
        let wrong = try runner.martlet(
            "compress", "net.onnx", "--sigma", "s", "--gradients", "s", "--norm", "complete", "-o", "small.onnx")
        #expect(wrong.status == 1)
        #expect(wrong.error.contains("gradients 1"), "\(wrong.error)")
        #expect(try runner.martlet("gradients", "net.onnx", "images.bin", "--draws", "0", "-o", "g").status == 64)
        #expect(!(try runner.folder.contents().contains("small.onnx")))
    }
}
