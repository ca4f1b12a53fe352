import MartletDecompositions
import MartletEvaluation
import MartletInference
import MartletNetworks
import MartletTensors

extension BudgetCompressor {
    /// What is known of the network's layers' times, from the cache or measured now.
    func latencyModel(
        _ network: Network, _ options: [LayerOptions], _ timing: Timing, progress: Progress
    ) throws -> LatencyModel {
        let machine = try LatencyModel.machine(network, shape: timing.shape, threads: pool.threadCount)
        let methods = Set(options.flatMap { $0.candidates.map(\.method.rawValue) })
        if let path = timing.cache, let known = LatencyModel.cached(at: path, for: machine),
            methods.isSubset(of: Set(known.layers.values.flatMap(\.points.keys)))
        {
            return known
        }
        let model = try LatencyModel(
            measuring: network, options, shape: timing.shape, seconds: timing.seconds, pool: pool
        ) { try progress("timing", $0, $1) }
        if let path = timing.cache { try model.write(to: path) }
        return model
    }

    /// Milliseconds of two networks, run in turns so that both see the same machine: the 10th percentiles.
    func measuredMilliseconds(_ before: Network, _ after: Network) throws -> (before: Double, after: Double) {
        guard let timing else { throw CompressionError.needsTiming }
        let executors = [try Executor(network: before, pool: pool), try Executor(network: after, pool: pool)]
        var latencies: [[Double]] = [[], []]
        // Many turns: a machine that others use too is slow for seconds on end.
        for _ in 0..<15 {
            for (index, executor) in executors.enumerated() {
                latencies[index] += try LatencyMeasurement(
                    executor, shape: timing.shape, seconds: timing.seconds
                ).latencies
            }
        }
        func percentile(_ values: [Double]) -> Double { values.sorted()[values.count / 10] }
        return (percentile(latencies[0]), percentile(latencies[1]))
    }

    /// Milliseconds of a network, the 10th percentile, where layers are timed.
    /// - Throws: ``CompressionError/needsTiming``, `NetworkError`.
    public func measuredMilliseconds(of network: Network) throws -> Double {
        try measuredMilliseconds(network, network).after
    }

    /// A network that takes as long as the budget says.
    ///
    /// Layers' times do not quite add up to the network's. So a plan is tried out with weights that mean nothing, the whole
    /// network measured beside the original, and the limit moved by what it was missed by.
    func fastest(_ job: Job) throws -> Result {
        let total = job.options.reduce(0) { $0 + ($1.original.milliseconds ?? 0) }
        let whole = try self.total(job.network, .latency)
        // What the layers do not take, as far as it is known.
        guard let goal = budget.limit(original: whole), whole > 0 else {
            throw CompressionError.budgetText("\(budget)")
        }
        let part = goal / whole
        var limit = part * max(whole, total)
        var weights: [String: Double] = [:]
        var effects: [LayerEffect] = []
        var best: (plan: AllocationPlan, miss: Double, part: Double)?
        for attempt in 0..<6 {
            func planned(_ weights: [String: Double]) throws -> AllocationPlan {
                try AllocationPlan(
                    job.options, weights: weights, measure: .latency, limit: limit, total: max(whole, total),
                    budget: budget)
            }
            let plan: AllocationPlan
            if attempt == 0 {
                (plan, effects) = try self.plan(job, .latency, planned)
                for layer in plan.layers { weights[layer.name] = layer.weight }
            } else {
                // Beyond what there is by the layers' own times: what came nearest has to do.
                guard let next = try? planned(weights) else { break }
                plan = next
            }
            let trial = try job.network.replacing(try plan.emptyReplacements(in: job.network))
            let measured = try measuredMilliseconds(job.network, trial)
            let reached = measured.after / measured.before
            let miss = abs(reached / part - 1)
            if miss < best?.miss ?? .infinity { best = (plan, miss, reached) }
            if miss < 0.01 { break }
            // Not all of a miss at once: times are not quite steady.
            limit *= 1 + 0.8 * (part / reached - 1)
            try job.progress("meeting the latency", attempt + 1, 6)
        }
        if let best, best.miss < 0.05 { return try fitted(job, (best.plan, effects)) }
        // The clock never came near: too much else runs on this machine, or there is nothing between two steps.
        let nearest = ((best?.part ?? 1) * 1000).rounded() / 1000
        throw CompressionError.latencyNotMet(budget: "\(budget)", nearest: "\(nearest)")
    }

    /// Adds the times, as predicted and as measured, to the report.
    func time(_ result: inout Result, of network: Network) throws {
        guard let timing else { return }
        func profile(_ network: Network) throws -> (times: [String: Double], total: Double) {
            let executor = try Executor(network: network, pool: pool)
            let profile = try executor.profile(try executor.noise(timing.shape), seconds: 5 * timing.seconds)
            return (
                Dictionary(profile.nodes.map { ($0.name, $0.milliseconds) }, uniquingKeysWith: +),
                profile.milliseconds
            )
        }
        let after = try profile(result.network)
        for (index, layer) in result.plan.layers.enumerated() {
            result.report.layers[index].millisecondsBefore = layer.original.milliseconds
            guard let choice = layer.choice else { continue }
            result.report.layers[index].millisecondsPredicted = choice.cost.milliseconds
            let members = result.report.layers[index].joined ?? [layer.name]
            result.report.layers[index].millisecondsAfter = choice.method.form.layerNames.reduce(0) { sum, link in
                members.reduce(sum) { $0 + (after.times["\($1).\(link)"] ?? 0) }
            }
        }
        let both = try measuredMilliseconds(network, result.network)
        result.report.millisecondsBefore = both.before
        result.report.millisecondsAfter = both.after
    }
}

extension AllocationPlan {
    /// Chains of the planned shapes with weights that mean nothing, for the clock.
    func emptyReplacements(in network: Network) throws -> [String: LayerReplacement] {
        let weighted = Dictionary(network.weightedLayers().map { ($0.name, $0) }) { first, _ in first }
        var result: [String: LayerReplacement] = [:]
        for layer in layers {
            guard let choice = layer.choice, let node = weighted[layer.name],
                let kernel = try network.kernel(of: node)
            else { continue }
            result[layer.name] = LayerReplacement(
                links: try choice.method.form.emptyLinks(of: kernel.shape, ranks: choice.ranks), bias: nil)
        }
        return result
    }
}
