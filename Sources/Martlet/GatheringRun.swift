import Foundation
import MartletImages
import MartletNetworks
import MartletParallelism
import MartletStatistics

/// Goes over images for one set of layers after another, with checkpoints on the way.
struct GatheringRun {
    let model: Model
    let data: any DataSet
    let preprocessing: Preprocessing
    let options: GatheringOptions
    let pool: ThreadPool
    let passes: Int

    /// What one pass gave.
    struct Pass {
        var statistics: Statistics
        var changes: [String: Double]?
        var hadEnough: Bool
    }

    /// Where the statistics of a finished pass wait for the others.
    private func file(ofPass index: Int) -> String {
        (options.checkpoint ?? NSTemporaryDirectory() + "martlet-\(ProcessInfo.processInfo.processIdentifier)")
            + ".pass\(index + 1)"
    }

    /// What a checkpoint must be about to be gone on from.
    private func purpose(pass index: Int) -> String {
        var names = FNV1a()
        for image in 0..<data.count { names.add(data.name(at: image)) }
        let until = options.until.map { "\($0)" } ?? "the end"
        return "pass \(index + 1) of \(passes), until \(until), \(data.count) images \(names.text), \(data), "
            + preprocessing.json
    }

    /// Runs the network over the images for the sake of some layers.
    func pass(
        _ index: Int, layers: Set<String>, part: String, progress: JobProgress.Handler
    ) throws -> Pass {
        let gatherer = try StatisticsGatherer(network: model.network, pool: pool, form: options.form) {
            layers.contains($0.name)
        }
        let purpose = purpose(pass: index)
        if passes > 1, options.resumes, let finished = try? Statistics(path: file(ofPass: index)),
            Set(finished.layerNames) == layers, finished.provenance.preprocessing == preprocessing.json,
            (try? finished.check(against: model.network)) != nil, finished.provenance.data == part
        {
            return Pass(statistics: finished, changes: nil, hadEnough: false)
        }
        if options.resumes, let checkpoint = options.checkpoint, FileManager.default.fileExists(atPath: checkpoint) {
            try gatherer.resume(from: checkpoint, purpose: purpose)
        }
        let hadEnough = try run(gatherer, purpose: purpose, pass: index, progress: progress)
        let seen = gatherer.images < data.count ? Subset(data, range: 0..<gatherer.images) : data
        let changes = gatherer.changes
        let statistics = try gatherer.finish(
            data: gatherer.images < data.count ? "the first \(gatherer.images) of \(part)" : part,
            dataDigest: try seen.digest(), preprocessing: preprocessing.json, version: MartletVersion.current)
        if passes == 1 { return Pass(statistics: statistics, changes: changes, hadEnough: hadEnough) }
        try statistics.write(to: file(ofPass: index))
        if let checkpoint = options.checkpoint { try? FileManager.default.removeItem(atPath: checkpoint) }
        return Pass(
            statistics: try Statistics(path: file(ofPass: index)), changes: changes, hadEnough: hadEnough)
    }

    /// Adds batch after batch; returns whether Sigma had settled before the images ended.
    private func run(
        _ gatherer: StatisticsGatherer, purpose: String, pass index: Int, progress: JobProgress.Handler
    ) throws -> Bool {
        let start = gatherer.images
        if start >= data.count { return false }
        let loader = try model.loader(
            start > 0 ? Subset(data, range: start..<data.count) : data, preprocessing,
            batchSize: try model.batchSize(upTo: StatisticsGatherer.imagesPerStep), pool: pool)
        let clock = ContinuousClock()
        var written = clock.now
        let task = passes > 1 ? "sigma, pass \(index + 1) of \(passes)" : "sigma"
        while let batch = try loader.next() {
            try gatherer.add(batch.tensor)
            try progress(JobProgress(task: task, done: gatherer.images, total: data.count, unit: "images"))
            if let until = options.until, isDue(gatherer.steps), let changes = gatherer.changes,
                let largest = changes.values.max(), largest <= until
            {
                return gatherer.images < data.count
            }
            let stops = options.shouldStop()
            let isOver = gatherer.images >= data.count
            if let checkpoint = options.checkpoint, !isOver,
                stops || clock.now - written > .seconds(options.checkpointInterval)
            {
                try gatherer.writeCheckpoint(to: checkpoint, purpose: purpose)
                written = clock.now
            }
            if stops, !isOver {
                throw GatheringInterrupted(done: gatherer.images, total: data.count, checkpoint: options.checkpoint)
            }
        }
        return false
    }

    /// Whether to look how far Sigma moves: it takes as long as adding a step, so every tenth of what there is will do.
    private func isDue(_ steps: Int) -> Bool { steps % max(2, steps / 20 * 2) == 0 }
}
