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
