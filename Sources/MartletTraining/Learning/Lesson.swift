import MartletImages
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// What a network is to put out for each batch, and how far it is from that.
struct Lesson {
    /// The network that learns, up to its scores, with all the values that it is judged by among its outputs.
    let learner: Network
    private let teacher: Executor?
    private let matching: LayerMatching?
    /// The values of ``matching`` among the learner's outputs.
    private let matched: [Int]
    private let smoothing: Float
    private let pool: ThreadPool

    /// A lesson.
    /// - Parameters:
    ///   - network: The network that learns.
    ///   - teacher: Who knows better; `nil` to go by labels.
    ///   - options: What is learned of it.
    /// - Throws: ``TrainingError``, `NetworkError`.
    init(_ network: Network, teacher: Network?, options: TrainingOptions, pool: ThreadPool) throws {
        self.pool = pool
        smoothing = Float(options.smoothing)
        let scores = try network.withoutFinalSoftmax()
        let original = try teacher?.withoutFinalSoftmax()
        guard options.objective == .layers else {
            (learner, matching, matched) = (scores, nil, [])
            self.teacher = try original.map { try Executor(network: $0, pool: pool) }
            return
        }
        guard let original = try original?.simplified() else { throw TrainingError.noTeacher }
        let matching = try LayerMatching(scores, teacher: original)
        self.matching = matching
        let learner = try scores.puttingOut(matching.names)
        self.learner = learner
        matched = matching.names.compactMap { name in learner.outputs.firstIndex { $0.name == name } }
        self.teacher = try Executor(network: original.puttingOut(matching.names), pool: pool)
    }

    /// The nodes of the teacher, which say whom this lesson is by.
    var teacherNodes: [Node] { teacher?.network.nodes ?? [] }

    /// What the network is to put out for a batch.
    struct Wanted {
        fileprivate let targets: [Target]
        fileprivate let layers: [Tensor]
    }

    /// What the network is to put out for these images.
    /// - Throws: ``TrainingError/noLabel(image:)``, `NetworkError`.
    func wanted(_ images: Tensor, of batch: Batch) throws -> Wanted {
        guard let teacher else {
            let targets = try batch.labels.enumerated().map { index, label in
                guard let label else { throw TrainingError.noLabel(image: batch.names[index]) }
                return Target.label(label)
            }
            return Wanted(targets: targets, layers: [])
        }
        let values = try teacher.run([teacher.network.inputs[0].name: images])
        func value(_ name: String) throws -> Tensor {
            guard let value = values[name] else { throw NetworkError.undefinedValue(name: name, user: "the lesson") }
            return value
        }
        return Wanted(
            targets: try value(teacher.network.outputs[0].name).softmaxRows().map { .probabilities($0) },
            layers: try (matching?.names ?? []).map(value))
    }

    /// How far a network's outputs are from what it is to learn.
    /// - Parameters:
    ///   - outputs: Those of ``learner``, in its order.
    ///   - gradients: Of the loss by the outputs.
    /// - Throws: ``TrainingError`` for answers that do not fit.
    func evaluate(
        _ outputs: [TensorView], _ wanted: Wanted, gradients: [MutableTensorView]
    ) throws -> (loss: Double, correct: Int) {
        guard let scores = outputs.first, let gradient = gradients.first else { throw TrainingError.nothingToDo }
        let answers = try CrossEntropy(smoothing: smoothing)
            .evaluate(scores, targets: wanted.targets, gradient: gradient)
        if matching == nil { return answers }
        for gradient in gradients { gradient.elements(of: Float.self).update(repeating: 0) }
        let loss = LayerMatching.evaluate(
            matched.map { outputs[$0] }, wanted: wanted.layers, gradients: matched.map { gradients[$0] }, pool: pool)
        return (loss, answers.correct)
    }

    /// How good a network's answers are, labels taken as they are.
    /// - Throws: ``TrainingError`` for answers that do not fit.
    func evaluateAnswers(
        _ scores: TensorView, _ wanted: Wanted, gradient: MutableTensorView
    ) throws -> (loss: Double, correct: Int) {
        try CrossEntropy().evaluate(scores, targets: wanted.targets, gradient: gradient)
    }
}
