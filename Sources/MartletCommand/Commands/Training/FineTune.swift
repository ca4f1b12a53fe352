import ArgumentParser
import Martlet

struct FineTune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Train a network further, for instance one that was compressed.",
        discussion: """
            All parameters are learned, factors as they are; batch normalisations are folded into convolutions first. Each \
            of the learning rates is tried from the same beginning, up a tenth of the steps and down along a cosine; the \
            one that is best on the images held back is kept, if it is better than the network was before.

            With --teacher the network learns from another one, usually the original: no labels are needed. It learns its \
            answers, or with --learn layers what each of its layers puts out, which is the better way with few images.

            After each pass, and on SIGINT or SIGTERM, all goes to OUTPUT.checkpoint; the same command with --resume goes \
            on from there and ends with the same bits.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Argument(help: "The images, in any form `evaluate` takes.") var data: String
    @Option(help: ArgumentHelp("A network to learn from in place of labels.", valueName: "model")) var teacher: String?
    @Option(help: ArgumentHelp("What to learn: answers, or layers of the --teacher.", valueName: "what"))
    var learn = Objective.answers
    @Option(help: ArgumentHelp("adam or sgd (with Nesterov's momentum).", valueName: "name"))
    var optimizer = Optimization.adam
    @Option(help: ArgumentHelp("Peaks of the learning rate to try.", valueName: "list"))
    var learningRates = "1e-5,1e-4,1e-3"
    @OptionGroup var training: TrainingFlags
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if learn == .layers, teacher == nil { throw ValidationError("--learn layers needs --teacher MODEL") }
        _ = try TrainingFlags.rates(learningRates)
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model)
            var options = try training.options(model, rates: TrainingFlags.rates(learningRates))
            options.optimization = optimizer
            options.objective = learn
            try training.train(
                model, on: try images.open(data), preprocessing: try model.preprocessing(try preprocessing.options()),
                teacher: try teacher.map { try Model(path: $0) }, options: options, json: output.json,
                pool: threads.pool)
        }
    }
}
