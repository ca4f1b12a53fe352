import ArgumentParser
import Martlet

@main
struct MartletCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Makes trained convolutional networks smaller from images alone, and runs them on CPUs.",
        discussion: """
            Networks are ONNX files. Compression looks at what each layer sees (its second moment, Sigma) and \
            replaces the layer by low-rank factors that change its output least; no labels, no training.

              martlet compress net.onnx --images photos --preset imagenet --budget params=0.5 -o small.onnx
              martlet evaluate small.onnx test-photos --reference net.onnx

            Networks that martlet writes carry their preprocessing; others need --preset, --preprocessing or flags.
            Exit codes: 0 done, 1 failed, 64 wrong usage.
            """,
        version: MartletVersion.current,
        subcommands: [
            Inspect.self, Run.self, Classify.self, Evaluate.self, Sigma.self, Gradients.self, Compress.self,
            SweepCommand.self, Quantize.self, Compare.self, FineTune.self, Train.self, Differentiate.self,
            Benchmark.self,
        ])
}
