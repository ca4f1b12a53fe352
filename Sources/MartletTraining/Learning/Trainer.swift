import MartletImages
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Trains a network on images.
///
/// Each learning rate starts from the same parameters and sees the same images in the same order; the one whose network
/// answers best on the images held back is kept. The same options and seed give the same bits on any number of threads, and
/// after an interruption.
public final class Trainer {
    private let whole: Network
    private let differentiable: DifferentiableNetwork
    private let teacher: Executor?
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
    ///   - teacher: A network whose probabilities are learned in place of labels (Hinton et al., 2015). It sees what the
    ///     network sees.
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
        whole = network
        self.options = options
        self.pool = pool
        self.preprocessing = preprocessing
        self.teacher = try teacher.map { try Executor(network: $0.withoutFinalSoftmax(), pool: pool) }
        differentiable = try DifferentiableNetwork(
            network.withoutFinalSoftmax(), momentum: options.startsAnew ? 0.1 : nil, pool: pool)
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
            network.constants[parameter.name]?.withUnsafeBytes { digest.add($0) }
        }
        for node in self.teacher?.network.nodes ?? [] { digest.add(node.name) }
        purpose = digest.text
    }

    /// Trains.
    /// - Parameters:
    ///   - checkpoint: Where to keep how far it is, after each pass and when `progress` ends it; `nil` for nowhere.
    ///   - resumes: Whether to go on from there.
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
        if resumes, let checkpoint {
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
            let last = state.epochs.last
            let (accuracy, loss) = (last?.heldBackAccuracy ?? 0, last?.heldBackLoss ?? 0)
            if state.best.map({ (accuracy, -loss) > ($0.accuracy, -$0.loss) }) ?? true {
                state.best = TrainingState.Best(rate: state.rate, accuracy: accuracy, loss: loss)
                best = (try store.copyOfValues(), try store.copyOfStates())
            }
            state.rate += 1
            (state.epoch, state.step, state.loss, state.correct) = (0, 0, 0, 0)
            if state.rate < options.learningRates.count {
                begin()
                optimizer = try newOptimizer()
                try keep()
            }
        }
        guard let best, let kept = state.best else { throw TrainingError.nothingToDo }
        guard kept.loss.isFinite else { throw TrainingError.diverged }
        store.restore(values: best.values, states: best.states)
        var network = whole
        try store.write(to: &network)
        return (
            network, TrainingResult(epochs: state.epochs, learningRate: options.learningRates[kept.rate])
        )
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
        let held = try evaluate()
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
        let targets = try targets(batch, images)
        let loss = CrossEntropy(smoothing: Float(options.smoothing))
        var correct = 0
        let value = try differentiable.differentiate([whole.inputs[0].name: images]) { output, gradient in
            let result = try loss.evaluate(output, targets: targets, gradient: gradient)
            correct = result.correct
            return result.loss
        }
        return (value, correct)
    }

    private func targets(_ batch: Batch, _ images: Tensor) throws -> [Target] {
        guard let teacher else {
            return try batch.labels.enumerated().map { index, label in
                guard let label else { throw TrainingError.noLabel(image: batch.names[index]) }
                return .label(label)
            }
        }
        let outputs = try teacher.run([teacher.network.inputs[0].name: images])
        guard let scores = outputs[teacher.network.outputs[0].name] else { throw TrainingError.nothingToDo }
        return scores.softmaxRows().map { .probabilities($0) }
    }

    /// The loss and the part of right answers on the images held back.
    private func evaluate() throws -> (loss: Double, accuracy: Double)? {
        guard let heldBack else { return nil }
        let network = try differentiable.learned().simplified()
        let executor = try Executor(network: network, pool: pool)
        let loader = BatchLoader(
            heldBack, preprocessing: preprocessing, batchSize: batchSize, inputExtents: inputExtents)
        var (loss, correct, count) = (0.0, 0, 0)
        while let batch = try loader.next() {
            // A network of a fixed batch does not take what is left.
            if batch.labels.count < batchSize, whole.inputs[0].type.dimensions[0].value != nil { break }
            let outputs = try executor.run([network.inputs[0].name: batch.tensor])
            guard let scores = outputs[network.outputs[0].name] else { break }
            var gradient = scores
            let targets = try targets(batch, batch.tensor)
            let result = try scores.withView { view in
                try gradient.withMutableView {
                    try CrossEntropy().evaluate(view, targets: targets, gradient: $0)
                }
            }
            loss += result.loss * Double(targets.count)
            correct += result.correct
            count += targets.count
        }
        return count == 0 ? nil : (loss / Double(count), Double(correct) / Double(count))
    }
}
