import MartletEvaluation
import MartletImages
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

extension Model {
    /// Classifies a data set and compares with its labels and, if given, with the classes of a reference network.
    ///
    /// - Parameters:
    ///   - data: the images.
    ///   - preprocessing: how they are prepared.
    ///   - reference: another network with the same classes, and the preprocessing it wants.
    ///   - keepsAnswers: whether the result has each image's answer and label, to compare networks image by image.
    ///   - pool: the threads that share the work.
    ///   - options: how the network is run.
    ///   - progress: told of each batch; what it throws ends the evaluation.
    /// - Throws: ``EvaluationError``, ``NetworkError``, ``ImageError``, ``PreprocessingError``, ``DataSetError``.
    public func evaluate(
        on data: any DataSet, preprocessing: Preprocessing,
        reference: (model: Model, preprocessing: Preprocessing)? = nil, keepsAnswers: Bool = false,
        pool: ThreadPool, options: Executor.Options = Executor.Options(), progress: JobProgress.Handler = { _ in }
    ) throws -> EvaluationResult {
        guard data.labelSource != .none || reference != nil else {
            throw EvaluationError.nothingToCompare(data: data.path)
        }
        var evaluator = Evaluator(scores: network.scores, keepsAnswers: keepsAnswers)
        let executor = try Executor(network: network, pool: pool, options: options)
        let batchSize = try evaluationBatchSize
        let loader = try loader(data, preprocessing, batchSize: batchSize, pool: pool)
        var other: (executor: Executor, loader: BatchLoader?, model: Model)?
        if let reference {
            let executor = try Executor(network: reference.model.network, pool: pool)
            // The same preparation need not be done twice.
            let sameInput = try reference.model.imageExtents == imageExtents
            let shared = sameInput && reference.preprocessing == preprocessing
            let loader =
                try shared
                ? nil : reference.model.loader(data, reference.preprocessing, batchSize: batchSize, pool: pool)
            other = (executor, loader, reference.model)
        }
        while let batch = try loader.next() {
            let output = try run(executor, batch.tensor)
            var compared: Tensor?
            if let other {
                let tensor = try other.loader.map { try $0.next()?.tensor ?? batch.tensor } ?? batch.tensor
                compared = try other.model.run(other.executor, tensor)
            }
            try evaluator.add(output, reference: compared, batch: batch)
            try progress(
                JobProgress(task: "evaluate", done: batch.indices.upperBound, total: data.count, unit: "images"))
        }
        return evaluator.result
    }

    /// The scores of one prepared batch, the first output.
    func run(_ executor: Executor, _ batch: Tensor) throws -> Tensor {
        let result = try executor.run([network.inputs[0].name: batch])
        guard let output = network.outputs.first.flatMap({ result[$0.name] }) else {
            throw EvaluationError.outputShape(found: "missing")
        }
        return output
    }

    func loader(
        _ data: any DataSet, _ preprocessing: Preprocessing, batchSize: Int, pool: ThreadPool
    ) throws -> BatchLoader {
        BatchLoader(
            data, preprocessing: preprocessing, batchSize: batchSize, inputExtents: try imageExtents,
            threadCount: min(2, pool.threadCount), batchesAhead: 2)
    }

    /// Large images fill the cores few at a time, small ones need many.
    private var evaluationBatchSize: Int {
        get throws {
            let pixels = try imageExtents.compactMap { $0 }.reduce(1, *)
            return try batchSize(upTo: max(8, min(128, (1 << 20) / max(pixels, 1))))
        }
    }

    /// The classes of highest score of one image, highest first, with their probabilities.
    /// - Throws: as ``evaluate(on:preprocessing:reference:keepsAnswers:pool:options:progress:)``.
    public func classify(
        _ image: Image, preprocessing: Preprocessing, count: Int, executor: Executor
    ) throws -> [(label: Int, probability: Double)] {
        let shape = try preprocessing.outputShape(width: image.width, height: image.height)
        try Preprocessing.check(shape, against: try imageExtents)
        let tensor = try Tensor(try preprocessing.apply(to: image), shape: try Shape([1] + shape.extents))
        let row = try Evaluator.rows(try run(executor, tensor))[0]
        let probabilities = Evaluator.probabilities(row, scores: network.scores)
        return Evaluator.ranking(row, min(count, row.count)).map { ($0, probabilities[$0]) }
    }
}
