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

    /// The metadata property that says how a network was trained, as JSON.
    public static let trainingKey = "martlet.training"
}
