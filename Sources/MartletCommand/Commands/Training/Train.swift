import ArgumentParser
import Martlet

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a network from random parameters.",
        discussion: """
            MODEL says what the network is; its own parameters are forgotten. Batch normalisations go by the batch while it \
            learns. The optimiser is stochastic gradient descent with Nesterov's momentum. The same seed gives the same \
            bits, on any number of threads. Interrupted, it is resumed as `finetune` is.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Argument(help: "The images with their labels, in any form `evaluate` takes.") var data: String
    @Option(help: ArgumentHelp("Peak of the learning rate, or several to try.", valueName: "list"))
    var learningRates = "0.1"
    @OptionGroup var training: TrainingFlags
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws { _ = try TrainingFlags.rates(learningRates) }

    func run() throws {
        try reportingErrors {
            let model = try Model(architectureAt: model)
            var options = try training.options(model, rates: TrainingFlags.rates(learningRates))
            options.optimization = .sgd
            options.startsAnew = true
            options.weightDecay = training.weightDecay ?? 5e-4
            try training.train(
                model, on: try images.open(data), preprocessing: try model.preprocessing(try preprocessing.options()),
                options: options, json: output.json, pool: threads.pool)
        }
    }
}
