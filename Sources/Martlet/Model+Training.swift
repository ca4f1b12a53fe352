import Foundation
import MartletImages
import MartletNetworks
import MartletONNXFormat
import MartletParallelism
import MartletTensors
import MartletTraining

extension Model {
    /// The network of the ONNX file at `path` to be trained from the beginning: its batch normalisations stay nodes of their
    /// own.
    /// - Throws: ``ONNXError``, ``NetworkError``, ``FileError``.
    public init(architectureAt path: String) throws {
        self.path = path
        network = try ONNXReader.read(path: path)
    }

    /// The model with what it has learned from images; see ``Trainer``.
    ///
    /// - Parameters:
    ///   - data: The images.
    ///   - preprocessing: How they are prepared, which the result carries.
    ///   - teacher: A network whose probabilities are learned in place of labels.
    ///   - options: How to train.
    ///   - checkpoint: Where to keep how far it is; `nil` for nowhere.
    ///   - resumes: Whether to go on from there.
    ///   - pool: The threads that share the work.
    ///   - progress: Told after each step; what it throws ends the training.
    /// - Throws: as ``Trainer/init(_:data:preprocessing:teacher:options:pool:)`` and
    ///   ``Trainer/run(checkpoint:resumes:progress:)``.
    public func trained(
        on data: any DataSet, preprocessing: Preprocessing, teacher: Model? = nil, options: TrainingOptions,
        checkpoint: String? = nil, resumes: Bool = false, pool: ThreadPool,
        progress: (TrainingProgress) throws -> Void = { _ in }
    ) throws -> (model: Model, result: TrainingResult) {
        let trainer = try Trainer(
            network, data: data, preprocessing: preprocessing, teacher: teacher?.network, options: options, pool: pool)
        var model = self
        let result: TrainingResult
        (model.network, result) = try trainer.run(checkpoint: checkpoint, resumes: resumes, progress: progress)
        model.network[metadata: Model.preprocessingKey] = preprocessing.json
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        model.network[metadata: Model.trainingKey] = String(decoding: try encoder.encode(options), as: UTF8.self)
        return (model, result)
    }

    /// The model after learning what each layer of another one puts out, on images that need no labels: what a compressed
    /// network gains from seeing its layers behind each other; see ``Objective/layers``. Two learning rates are tried; a tenth of
    /// the images are held back to choose by, and if neither comes nearer to the original's answers on these, it stays as it is.
    ///
    /// - Parameters:
    ///   - original: The network that this one was compressed from.
    ///   - data: The images; those that it was compressed by will do.
    ///   - preprocessing: How they are prepared, which the result carries.
    ///   - passes: How often each is seen, mirrored half of the time and moved by some pixels.
    ///   - checkpoint: Where to keep how far it is; `nil` for nowhere.
    ///   - resumes: Whether to go on from there.
    ///   - pool: The threads that share the work.
    ///   - progress: Told after each step; what it throws ends the work.
    /// - Throws: as ``trained(on:preprocessing:teacher:options:checkpoint:resumes:pool:progress:)``.
    public func refined(
        towards original: Model, on data: any DataSet, preprocessing: Preprocessing, passes: Int,
        checkpoint: String? = nil, resumes: Bool = false, pool: ThreadPool,
        progress: @escaping JobProgress.Handler = { _ in }
    ) throws -> (model: Model, result: TrainingResult) {
        var options = TrainingOptions()
        options.objective = .layers
        options.epochs = passes
        options.batchSize = 16
        options.learningRates = [1e-4, 1e-3]
        // Of few images one at least, to choose by.
        options.heldBack = max(options.heldBack, 1 / Double(max(1, data.count)))
        let sides = try imageExtents.dropFirst().compactMap { $0 }
        options.augmentation = Augmentation(mirrors: true, shift: (sides.min() ?? 0) / 16)
        return try trained(
            on: data, preprocessing: preprocessing, teacher: original, options: options, checkpoint: checkpoint,
            resumes: resumes, pool: pool
        ) {
            try progress(JobProgress(task: "refine, pass \($0.epoch)", done: $0.step, total: $0.steps, unit: "steps"))
        }
    }

    /// The metadata property that says how a network was trained, as JSON.
    public static let trainingKey = "martlet.training"
}
