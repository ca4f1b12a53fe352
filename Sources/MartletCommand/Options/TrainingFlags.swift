import ArgumentParser
import Foundation
import Martlet

extension Objective: ExpressibleByArgument {}
extension Optimization: ExpressibleByArgument {}

/// How a network is trained, and where that goes.
struct TrainingFlags: ParsableArguments {
    @Option(
        name: [.short, .long], help: ArgumentHelp("Where the network goes.", valueName: "model.onnx"))
    var output: String

    @Option(help: ArgumentHelp("Passes over the images.", valueName: "n")) var epochs = 10
    @Option(help: ArgumentHelp("Images a step.", valueName: "n")) var batch = 64
    @Option(help: ArgumentHelp("What a step takes off weights, relative to the learning rate.", valueName: "part"))
    var weightDecay: Double?
    @Option(
        help: ArgumentHelp("The part of a label's probability that is spread over all classes.", valueName: "part"))
    var smoothing = 0.0
    @Option(
        help: ArgumentHelp(
            "Pixels that images are moved by at most; an eighth of their side unless told.", valueName: "pixels"))
    var shift: Int?
    @Flag(inversion: .prefixedNo, help: "Mirror half of the images. Not for digits or letters.") var mirror = true
    @Option(
        help: ArgumentHelp(
            "The part of the images that nothing is learned from, to choose by.", valueName: "part"))
    var holdBack = 0.1
    @Option(help: ArgumentHelp("Seed of whatever is random.", valueName: "n")) var seed: UInt64 = 0
    @Flag(help: "Go on where the same command was interrupted.") var resume = false

    func validate() throws {
        if !(1...100_000).contains(epochs) { throw ValidationError("--epochs wants 1 to 100000") }
        if !(1...65_536).contains(batch) { throw ValidationError("--batch wants 1 to 65536") }
        if let weightDecay, !(0...1).contains(weightDecay) { throw ValidationError("--weight-decay wants 0 to 1") }
        if !(0..<1).contains(smoothing) { throw ValidationError("--smoothing wants 0 to less than 1") }
        if let shift, !(0...4096).contains(shift) { throw ValidationError("--shift wants 0 to 4096") }
        if !(0..<1).contains(holdBack) { throw ValidationError("--hold-back wants 0 to less than 1") }
    }

    /// Learning rates written one after the other.
    static func rates(_ text: String) throws -> [Double] {
        try text.split(separator: ",").map { part in
            guard let rate = Double(part), rate > 0, rate < 1e3 else {
                throw ValidationError("'\(part)' is no learning rate")
            }
            return rate
        }
    }

    /// What the flags say.
    func options(_ model: Model, rates: [Double]) throws -> TrainingOptions {
        var options = TrainingOptions()
        options.epochs = epochs
        options.batchSize = batch
        options.learningRates = rates
        options.weightDecay = weightDecay ?? 0
        options.smoothing = smoothing
        let sides = try model.imageExtents.dropFirst().compactMap { $0 }
        options.augmentation = Augmentation(mirrors: mirror, shift: shift ?? (sides.min() ?? 0) / 8)
        options.heldBack = holdBack
        options.seed = seed
        return options
    }

    /// Trains, shows how it goes, and writes the network.
    func train(
        _ model: Model, on data: any DataSet, preprocessing: Preprocessing, teacher: Model? = nil,
        options: TrainingOptions, json: Bool, pool: ThreadPool
    ) throws {
        try OutputFile.checkWritable(output)
        let checkpoint = output + ".checkpoint"
        Interruption.watch()
        let line = ProgressLine()
        let started = ContinuousClock.now
        let trained: Model
        let result: TrainingResult
        do {
            (trained, result) = try model.trained(
                on: data, preprocessing: preprocessing, teacher: teacher, options: options, checkpoint: checkpoint,
                resumes: resume, pool: pool
            ) { progress in
                show(progress, on: line, prints: !json)
                try Interruption.check()
            }
        } catch let error as Interrupted {
            line.finish()
            Terminal.writeError("interrupted; all so far is in \(checkpoint)\n  go on with --resume\n")
            throw ExitCode(error.exitCode)
        }
        line.finish()
        try ONNXWriter.write(trained.network, to: output)
        // It has served; one that stays does no harm.
        try? FileManager.default.removeItem(atPath: checkpoint)
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        if json { return try Terminal.printJSON(Figures(result, seconds: seconds)) }
        if let before = result.before {
            print("before: held back: loss \(Format.fixed(before.loss, 4)), \(Format.percent(before.accuracy))")
        }
        let kept =
            result.learningRate.map { "learning rate \(Format.number($0))" }
            ?? "as it was, for no learning rate made it better"
        print("\(output): \(kept), seed \(seed), \(Format.duration(seconds))")
    }

    private func show(_ progress: TrainingProgress, on line: ProgressLine, prints: Bool) {
        let state = "loss \(Format.fixed(progress.loss, 3)), \(Format.percent(progress.accuracy))"
        line.show(
            JobProgress(
                task: "train, epoch \(progress.epoch), \(state)", done: progress.step, total: progress.steps,
                unit: "steps"))
        guard let finished = progress.finished, prints else { return }
        line.finish()
        print(TrainingFlags.text(finished))
        fflush(nil)
    }

    private struct Figures: Encodable {
        var before: TrainingScore?
        var epochs: [TrainingEpoch]
        var learningRate: Double?
        var seconds: Double

        init(_ result: TrainingResult, seconds: Double) {
            before = result.before
            epochs = result.epochs
            learningRate = result.learningRate
            self.seconds = seconds
        }

        enum CodingKeys: String, CodingKey {
            case before, epochs, seconds
            case learningRate = "learning_rate"
        }
    }

    private static func text(_ epoch: TrainingEpoch) -> String {
        var text =
            "learning rate \(Format.number(epoch.learningRate)), epoch \(epoch.epoch): loss \(Format.fixed(epoch.loss, 4))"
            + ", \(Format.percent(epoch.accuracy))"
        if let loss = epoch.heldBackLoss, let accuracy = epoch.heldBackAccuracy {
            text += "; held back: loss \(Format.fixed(loss, 4)), \(Format.percent(accuracy))"
        }
        return text
    }
}
