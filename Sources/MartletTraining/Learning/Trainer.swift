import Foundation
import MartletImages
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Trains a network on images.
///
/// Each learning rate starts from the same parameters and sees the same images in the same order; the one whose network
/// is best on the images held back is kept, if it is better than what was there before. With labels, better means more right answers; with a
/// teacher, a smaller loss, which says more of few images. The same options and seed give the same bits on any number of threads, and
/// after an interruption.
public final class Trainer {
    private let whole: Network
    private let differentiable: DifferentiableNetwork
    private let lesson: Lesson
    private let goesByLoss: Bool
    private let options: TrainingOptions
    private let pool: ThreadPool
    private let preprocessing: Preprocessing
    private let learnedFrom: any DataSet
    private let heldBack: (any DataSet)?
    private let purpose: String
    private let inputExtents: [Int?]
    private let stepsOfEpoch: Int
    private let batchSize: Int

    /// A training.
    /// - Parameters:
    ///   - network: What is trained: fine-tuned as it is, or from random parameters, by `options`.
    ///   - data: The images, with labels unless there is a teacher.
    ///   - preprocessing: How they are prepared.
    ///   - teacher: A network whose probabilities are learned in place of labels (Hinton et al., 2015), or what its layers put
    ///     out, by `options`. It sees what the network sees.
    ///   - options: How.
    ///   - pool: The threads that share the work.
    /// - Throws: ``TrainingError``, `NetworkError`.
    public init(
        _ network: Network, data: any DataSet, preprocessing: Preprocessing, teacher: Network? = nil,
        options: TrainingOptions, pool: ThreadPool
    ) throws {
        if teacher == nil, !data.isLabelled { throw TrainingError.noLabels(data: data.path) }
        guard !options.learningRates.isEmpty, options.epochs > 0, options.batchSize > 0 else {
            throw TrainingError.nothingToDo
        }
        guard network.inputs.count == 1, let input = network.inputs.first, input.type.rank == 4 else {
            throw NetworkError.unsupported(node: network.name, reason: "training a network that does not take images")
        }
        // Constants that come out of nodes are then constants, to be learned and written as such.
        whole = try network.preparedForTraining()
        self.options = options
        self.pool = pool
        self.preprocessing = preprocessing
        lesson = try Lesson(whole, teacher: teacher, options: options, pool: pool)
        goesByLoss = teacher != nil
        differentiable = try DifferentiableNetwork(
            lesson.learner, momentum: options.startsAnew ? 0.1 : nil, pool: pool)
        inputExtents = input.type.dimensions[1...].map(\.value)
        let shuffled = Subset(data, shuffledWith: options.seed)
        let held = Int((Double(data.count) * min(max(0, options.heldBack), 1)).rounded())
        if options.learningRates.count > 1, held == 0 { throw TrainingError.nothingHeldBack }
        guard held < data.count else { throw TrainingError.nothingToDo }
        heldBack = held == 0 ? nil : Subset(shuffled, range: 0..<held)
        learnedFrom = Subset(shuffled, range: held..<data.count)
        batchSize = input.type.dimensions[0].value ?? min(options.batchSize, data.count - held)
        stepsOfEpoch = (data.count - held) / batchSize
        guard stepsOfEpoch > 0 else { throw TrainingError.nothingToDo }
        var digest = FNV1a()
        digest.add("\(options) \(preprocessing) \(data.path) \(data.count)")
        for parameter in differentiable.store.parameters {
            digest.add(parameter.name)
            whole.constants[parameter.name]?.withUnsafeBytes { digest.add($0) }
        }
        for node in lesson.teacherNodes { digest.add(node.name) }
        purpose = digest.text
    }

    /// Trains.
    /// - Parameters:
    ///   - checkpoint: Where to keep how far it is, after each pass and when `progress` ends it; `nil` for nowhere.
    ///   - resumes: Whether to go on from there, if there is one.
    ///   - progress: Told after each step; what it throws ends the training.
    /// - Returns: The network with what it has learned, and how that went.
    /// - Throws: ``TrainingError``, `ImageError`, `FileError`, and what `progress` throws.
    public func run(
        checkpoint: String? = nil, resumes: Bool = false, progress: (TrainingProgress) throws -> Void = { _ in }
    ) throws -> (network: Network, result: TrainingResult) {
        let store = differentiable.store
        var state = TrainingState()
        var best: (values: Tensor, states: Tensor)?
        var optimizer = try newOptimizer()
        begin()
        if resumes, let checkpoint, FileManager.default.fileExists(atPath: checkpoint) {
            let (found, numbers) = try TrainingCheckpoint.read(
                path: checkpoint, purpose: purpose, parameters: store.count, states: store.stateCount)
            state = found
            store.restore(values: numbers.values, states: numbers.states)
            numbers.remembered.withElements(of: Float.self) { _ = optimizer.remembered.update(fromContentsOf: $0) }
            optimizer.steps = state.epoch * stepsOfEpoch + state.step
            if let values = numbers.bestValues, let states = numbers.bestStates { best = (values, states) }
        }
        func keep() throws {
            guard let checkpoint else { return }
            let remembered = try Tensor(Array(optimizer.remembered), shape: Shape([optimizer.remembered.count]))
            let numbers = TrainingNumbers(
                values: try store.copyOfValues(), states: try store.copyOfStates(), remembered: remembered,
                bestValues: best?.values, bestStates: best?.states)
            try TrainingCheckpoint.write(state, numbers, purpose: purpose, to: checkpoint)
        }
        if state.before == nil, !options.startsAnew { state.before = try evaluate() }
        while state.rate < options.learningRates.count {
            while state.epoch < options.epochs {
                do {
                    try learnEpoch(&state, optimizer, progress)
                } catch let error where !(error is any MartletError) {
                    // Whoever watches wants to end it: so far is so good.
                    try keep()
                    throw error
                }
                try keep()
            }
            // A training without a number at its end is out of the question.
            if let last = state.epochs.last, last.loss.isFinite, last.heldBackLoss?.isFinite ?? true {
                let score = TrainingScore(
                    loss: last.heldBackLoss ?? last.loss, accuracy: last.heldBackAccuracy ?? last.accuracy)
                if state.best.map({ isBetter(score, $0.score) }) ?? true {
                    state.best = TrainingState.Best(rate: state.rate, score: score)
                    best = (try store.copyOfValues(), try store.copyOfStates())
                }
            }
            state.rate += 1
            (state.epoch, state.step, state.loss, state.correct) = (0, 0, 0, 0)
            if state.rate < options.learningRates.count {
                begin()
                optimizer = try newOptimizer()
                try keep()
            }
        }
        guard let best, let kept = state.best else { throw TrainingError.diverged }
        let isKept = state.before.map { isBetter(kept.score, $0) } ?? true
        if isKept { store.restore(values: best.values, states: best.states) } else { begin() }
        var network = whole
        try store.write(to: &network)
        return (
            network,
            TrainingResult(
                before: state.before, after: state.before.map { isKept ? kept.score : $0 }, epochs: state.epochs,
                learningRate: isKept ? options.learningRates[kept.rate] : nil)
        )
    }

    private func isBetter(_ one: TrainingScore, _ other: TrainingScore) -> Bool {
        goesByLoss
            ? one.loss < other.loss : (one.accuracy, -one.loss) > (other.accuracy, -other.loss)
    }

    private func newOptimizer() throws -> Optimizer {
        try Optimizer(
            differentiable.store, kind: options.optimization, decay: Float(options.weightDecay), pool: pool)
    }

    /// The parameters that training begins with.
    private func begin() {
        if options.startsAnew {
            differentiable.store.initialize(for: differentiable.network, seed: options.seed)
        } else {
            differentiable.store.read(from: differentiable.network)
        }
    }

    // MARK: A pass

    private func learnEpoch(
        _ state: inout TrainingState, _ optimizer: Optimizer, _ progress: (TrainingProgress) throws -> Void
    ) throws {
        let rate = options.learningRates[state.rate]
        let schedule = Schedule(peak: rate, steps: options.epochs * stepsOfEpoch)
        let order = Subset(learnedFrom, shuffledWith: options.seed &+ UInt64(state.epoch) &+ 1)
        let first = state.step * batchSize
        let loader = BatchLoader(
            Subset(order, range: first..<stepsOfEpoch * batchSize), preprocessing: preprocessing,
            batchSize: batchSize, inputExtents: inputExtents)
        func report(_ finished: TrainingEpoch? = nil) -> TrainingProgress {
            let done = state.rate * options.epochs + state.epoch
            let seen = Double(max(1, state.step * batchSize))
            return TrainingProgress(
                learningRate: rate, epoch: state.epoch + (finished == nil ? 1 : 0),
                step: done * stepsOfEpoch + (finished == nil ? state.step : 0),
                steps: options.learningRates.count * options.epochs * stepsOfEpoch,
                loss: finished?.loss ?? state.loss / Double(max(1, state.step)),
                accuracy: finished?.accuracy ?? Double(state.correct) / seen, finished: finished)
        }
        while state.step < stepsOfEpoch, let batch = try loader.next() {
            let (loss, correct) = try learn(batch, pass: state.epoch, first: state.step * batchSize)
            optimizer.step(rate: Float(schedule.rate(state.epoch * stepsOfEpoch + state.step)))
            state.loss += loss
            state.correct += correct
            state.step += 1
            try progress(report())
            // Nothing good will come of it: the other learning rates may do better.
            if !loss.isFinite { break }
        }
        let held = state.loss.isFinite ? try evaluate() : nil
        let finished = TrainingEpoch(
            learningRate: rate, epoch: state.epoch + 1, loss: state.loss / Double(max(1, state.step)),
            accuracy: Double(state.correct) / Double(max(1, state.step * batchSize)), heldBackLoss: held?.loss,
            heldBackAccuracy: held?.accuracy)
        if !finished.loss.isFinite { state.epoch = options.epochs } else { state.epoch += 1 }
        state.epochs.append(finished)
        (state.step, state.loss, state.correct) = (0, 0, 0)
        try progress(report(finished))
    }

    private func learn(_ batch: Batch, pass: Int, first: Int) throws -> (loss: Double, correct: Int) {
        var images = batch.tensor
        try options.augmentation.apply(
            to: &images, seed: options.seed, pass: pass, first: first, black: preprocessing.black)
        let wanted = try lesson.wanted(images, of: batch)
        var correct = 0
        let value = try differentiable.differentiate(
            [whole.inputs[0].name: images],
            losses: { outputs, gradients in
                let result = try lesson.evaluate(outputs, wanted, gradients: gradients)
                correct = result.correct
                return result.loss
            })
        return (value, correct)
    }

    /// How good the network's answers are on the images held back, whatever it learns from.
    private func evaluate() throws -> TrainingScore? {
        guard let heldBack else { return nil }
        var network = try differentiable.learned()
        network.outputs = Array(network.outputs.prefix(1))
        network = try network.simplified()
        let executor = try Executor(network: network, pool: pool)
        let loader = BatchLoader(
            heldBack, preprocessing: preprocessing, batchSize: batchSize, inputExtents: inputExtents)
        var (loss, correct, count) = (0.0, 0, 0)
        while let batch = try loader.next() {
            // A network of a fixed batch does not take what is left.
            if batch.labels.count < batchSize, whole.inputs[0].type.dimensions[0].value != nil { break }
            let outputs = try executor.run([network.inputs[0].name: batch.tensor])
            guard let scores = outputs[network.outputs[0].name] else { break }
            let wanted = try lesson.wanted(batch.tensor, of: batch)
            var gradient = scores
            let result = try scores.withView { view in
                try gradient.withMutableView { try lesson.evaluateAnswers(view, wanted, gradient: $0) }
            }
            loss += result.loss * Double(batch.labels.count)
            correct += result.correct
            count += batch.labels.count
        }
        return count == 0 ? nil : TrainingScore(loss: loss / Double(count), accuracy: Double(correct) / Double(count))
    }
}
