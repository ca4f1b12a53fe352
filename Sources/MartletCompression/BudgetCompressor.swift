import Foundation
import MartletDecompositions
import MartletEvaluation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors

/// Compresses a network to a budget: chooses method and ranks of every layer at once, by their errors and what these do to
/// the network's outputs.
public struct BudgetCompressor: Sendable {
    /// How small.
    public var budget: Budget
    /// Which ways to replace layers there are.
    public var search: CandidateSearch
    /// How layers are fitted; its rules and ranks do not matter.
    public var compressor: Compressor
    /// What errors weigh.
    public var weights = WeightChoice.measured(.scores)
    /// How often weights are measured, each time where the last ones led.
    public var rounds = 3
    /// Whether layers are fitted one after the other, each to what the ones before it have left of its input.
    public var isSequential = false
    /// Whether 1x1 convolutions that read the same value are compressed as one, so that they share a factor (``JoinedNetwork``). Not
    /// under a budget of latency, nor where gradients have a say, which know the layers apart.
    public var joinsSiblings = true
    /// Whether to give each layer back alone to the compressed network, to see what weights should have been.
    public var checksWeights = false
    /// How layers are timed on this machine; `nil` does not: then nothing is known of latency.
    public var timing: Timing?
    /// The threads that share the work.
    public var pool: ThreadPool

    /// How layers are timed.
    public struct Timing: Sendable {
        /// The shape of the input.
        public var shape: Shape
        /// Seconds for each of about 35 profiles.
        public var seconds = 0.1
        /// A file to keep what was measured in, and to take it from.
        public var cache: String?
        /// Whether no layer may become slower.
        public var gate = Gate.automatic

        /// Whether layers may become slower for the sake of size.
        public enum Gate: String, Sendable, CaseIterable {
            /// None may, unless that makes the loss expected of the same budget more than a tenth larger.
            case automatic = "auto"
            /// None may.
            case closed = "on"
            /// All may.
            case open = "off"
        }

        /// Timing on an input of a shape.
        public init(shape: Shape) { self.shape = shape }
    }

    /// A compressor with the recipe that was found best: all methods, the mean taken off, weights measured.
    public init(budget: Budget, pool: ThreadPool) {
        self.budget = budget
        self.pool = pool
        search = CandidateSearch(pool: pool)
        compressor = Compressor(rules: LayerRules(methods: [:]), ranks: .explicit([:]), pool: pool)
        compressor.centres = true
    }

    /// Told what is being done and how far it is; it may throw to end the job.
    public typealias Progress = (_ task: String, _ done: Int, _ count: Int) throws -> Void

    /// What came of it.
    public struct Result: Sendable {
        /// The smaller network.
        public var network: Network
        /// What became of each layer.
        public var report: CompressionReport
        /// What was planned.
        public var plan: AllocationPlan
        /// What each layer alone did to the outputs, where that was measured.
        public var effects: [LayerEffect]
        /// How often the network is expected to agree with the original, from its layers' errors and what they weigh; `nil`
        /// where weights were not measured in class scores.
        public var predictedAgreement: AgreementPrediction?
        /// The change of the outputs by the whole, and by the whole with each replaced layer as it was, where that was asked
        /// for.
        public var leavingOneOut: LeavingOneOut?
        /// In sequential compression, how far each layer's moments were drawn towards its own: 1 is all the way.
        public var shrinkages: [String: Double] = [:]
    }

    /// Goes over the calibration images, prepared, in the same batches every time.
    public typealias BatchSource = (_ body: (Tensor) throws -> Void) throws -> Void

    /// The ways to replace each layer, with errors and, where layers are timed, milliseconds. Of the budget they depend on no
    /// more than whether it is one of latency (``joinsSiblings``).
    /// - Throws: as ``compress(_:statistics:options:comparison:batches:checkCancellation:progress:)``.
    public func prepare(
        _ network: Network, statistics: Statistics, checkCancellation: () throws -> Void = {},
        progress: Progress = { _, _, _ in }
    ) throws -> [LayerOptions] {
        var search = search
        if compressor.usesCompleteNorm {
            search.gradients = compressor.gradients
            search.options.outputRegularization = compressor.options.outputRegularization
        }
        try statistics.check(against: network)
        let network = try joined(network).network
        let options = try search.options(
            of: network, statistics: statistics.transferred(to: network), checkCancellation: checkCancellation
        ) { try progress("candidates", $0, $1) }
        guard let timing else { return options }
        return try latencyModel(network, options, timing, progress: progress).timed(options, network: network)
    }

    /// A smaller network.
    /// - Parameters:
    ///   - network: as ``Network/simplified(keepingHalfWeights:)`` leaves it.
    ///   - statistics: of this network.
    ///   - options: what ``prepare(_:statistics:checkCancellation:progress:)`` gave, or a part of it.
    ///   - comparison: its outputs on images; needed where weights are measured.
    ///   - batches: the calibration images; needed for sequential compression.
    ///   - checkCancellation: called often, on any thread; what it throws ends the job.
    ///   - progress: told what is being done and how far it is.
    /// - Throws: ``CompressionError``, `StatisticsError`, `DecompositionError`, `NetworkError`, `EvaluationError`.
    public func compress(
        _ network: Network, statistics: Statistics, options: [LayerOptions]? = nil, comparison: OutputComparison?,
        batches: BatchSource? = nil, checkCancellation: @escaping () throws -> Void = {},
        progress: @escaping Progress = { _, _, _ in }
    ) throws -> Result {
        let options =
            try options
            ?? prepare(
                network, statistics: statistics, checkCancellation: checkCancellation, progress: progress)
        try statistics.check(against: network)
        let joined = try joined(network)
        let job = Job(
            network: joined.network, options: try gated(options, joined.network),
            statistics: statistics.transferred(to: joined.network), comparison: comparison, batches: batches,
            checkCancellation: checkCancellation, progress: progress)
        var result: Result
        switch budget {
        case .drop(let drop): result = try smallest(job, drop: drop)
        case .part(.latency, _), .amount(.latency, _): result = try fastest(job)
        default: result = try fitted(job, try self.plan(job))
        }
        if case .measured(.scores) = weights, let comparison {
            let loss = result.plan.loss
            result.predictedAgreement = AgreementPrediction(
                loss: loss, disagreement: comparison.disagreement(scoreError: loss))
        }
        result.network = try joined.split(result.network)
        for index in result.report.layers.indices {
            result.report.layers[index].joined = joined.families[result.report.layers[index].name]?.members
        }
        try time(&result, of: network)
        if checksWeights, let comparison {
            let measurement = EffectMeasurement(
                compressor: compressor, network: job.network, statistics: job.statistics, comparison: comparison)
            result.leavingOneOut = try measurement.leavingOneOut(
                of: result.plan, checkCancellation: checkCancellation
            ) { try progress("leaving one out", $0, $1) }
        }
        return result
    }

    /// The network with siblings joined, where that is wanted and there is a method that the whole could take.
    private func joined(_ network: Network) throws -> JoinedNetwork {
        let joins =
            joinsSiblings && budget.measure != .latency && compressor.gradients == nil
            && !(search.methods[.pointwise] ?? []).isEmpty
        var rules = search.rules
        rules.methods = search.methods.compactMapValues(\.first)
        return try JoinedNetwork(network) { layer in
            guard joins, case .decompose(_, nil) = rules.decision(on: layer, isFirstConvolution: false) else {
                return false
            }
            return true
        }
    }

    /// The options that the gate leaves.
    private func gated(_ options: [LayerOptions], _ network: Network) throws -> [LayerOptions] {
        guard let gate = timing?.gate else { return options }
        let faster = options.map { $0.gated() }
        switch gate {
        case .open: return options
        case .closed: return faster
        case .automatic:
            // How small a drop leads is not known yet: half will do to compare.
            let size = budget.measure == nil ? Budget.part(.parameters, 0.5) : budget
            guard let measure = size.measure, measure != .latency else { return faster }
            // What is expected does not need weights to be compared.
            let total = try total(network, measure)
            let plans = [faster, options].map {
                try? AllocationPlan($0, weights: [:], budget: size, total: total)
            }
            guard let all = plans[1] else { return options }
            return (plans[0]?.loss ?? .infinity) <= 1.1 * all.loss ? faster : options
        }
    }

    /// What there is to work with.
    struct Job {
        var network: Network
        var options: [LayerOptions]
        var statistics: Statistics
        var comparison: OutputComparison?
        var batches: BatchSource?
        var checkCancellation: () throws -> Void
        var progress: Progress
    }

    /// Carries a plan out.
    func fitted(_ job: Job, _ planned: (plan: AllocationPlan, effects: [LayerEffect])) throws -> Result {
        let (network, statistics, batches) = (job.network, job.statistics, job.batches)
        let (checkCancellation, progress) = (job.checkCancellation, job.progress)
        var plan = planned.plan
        let effects = planned.effects
        let outcome: Compressor.Outcome
        var shrinkages: [String: Double] = [:]
        if isSequential {
            guard let batches else { throw CompressionError.needsImages(purpose: "sequential compression") }
            let sequence = SequentialCompression(
                network: network, statistics: statistics, compressor: plan.compressor(from: compressor),
                batches: batches, pool: pool)
            (outcome, shrinkages) = try sequence.run(checkCancellation: checkCancellation) {
                try progress("compress in sequence", $0, $1)
            }
        } else {
            outcome = try plan.compressor(from: compressor).run(
                network, statistics: statistics, checkCancellation: checkCancellation
            ) { _, done, count in try progress("compress", done, count) }
        }
        for (index, layer) in outcome.report.layers.enumerated() {
            if let error = layer.countedError { plan.layers[index].choice?.error = error }
        }
        return Result(
            network: outcome.network, report: outcome.report, plan: plan, effects: effects,
            shrinkages: shrinkages)
    }

    /// What the whole network costs as it is.
    func total(_ network: Network, _ measure: CostMeasure) throws -> Double {
        let costs = try Costs(network).total
        var total = LayerCost(parameters: costs.parameters, multiplyAdds: costs.multiplyAdds)
        if measure == .latency { total.milliseconds = try measuredMilliseconds(network, network).before }
        return total.amount(measure)
    }

    /// The plan for the budget, and what the layers' effects were where they were measured.
    func plan(_ job: Job) throws -> (plan: AllocationPlan, effects: [LayerEffect]) {
        guard let measure = budget.measure else { throw CompressionError.budgetText("\(budget)") }
        let total = try total(job.network, measure)
        return try plan(job, measure) { weights in
            try AllocationPlan(job.options, weights: weights, budget: budget, total: total)
        }
    }

    /// The plan that `plan` makes with the chosen weights, and what the layers' effects were where they were measured.
    func plan(
        _ job: Job, _ measure: CostMeasure, _ plan: ([String: Double]) throws -> AllocationPlan
    ) throws -> (plan: AllocationPlan, effects: [LayerEffect]) {
        switch weights {
        case .equal: return (try plan([:]), [])
        case .given(let given): return (try plan(given), [])
        case .gradients:
            guard let gradients = compressor.gradients else {
                throw CompressionError.needsGradients(purpose: "weights from gradients")
            }
            let weights = GradientWeights(
                gradients: gradients, statistics: job.statistics, centres: compressor.centres, pool: pool)
            return (try plan(weights.weights(of: job.network)), [])
        case .measured(let metric):
            guard let comparison = job.comparison else {
                throw CompressionError.needsImages(purpose: "measuring weights")
            }
            // What a fit's start does is known as well, and costs a fraction of what a fit does.
            var probing = compressor
            probing.options.maximumSweeps = 0
            probing.options.isBrief = true
            let measurement = EffectMeasurement(
                compressor: probing, network: job.network, statistics: job.statistics, comparison: comparison)
            var current = try plan([:])
            var effects: [String: LayerEffect] = [:]
            var probed: [String: LayerCandidate] = [:]
            // The effect of an error grows faster than its square where it is large: what a layer weighed most counts.
            var weights: [String: Double] = [:]
            for round in 0..<max(1, rounds) {
                var probes = current.probing(job.options, measure: measure)
                for (index, layer) in probes.layers.enumerated() {
                    guard let choice = layer.choice else { continue }
                    if let last = probed[layer.name], last.resembles(choice) {
                        probes.layers[index].choice = nil
                    } else {
                        probed[layer.name] = choice
                    }
                }
                let measured = try measurement.effects(of: probes, checkCancellation: job.checkCancellation) {
                    try job.progress("weights, round \(round + 1) of \(rounds)", $0, $1)
                }
                for effect in measured {
                    effects[effect.name] = effect
                    weights[effect.name] = max(weights[effect.name] ?? 0, effect.weight(metric))
                }
                current = try plan(weights)
            }
            return (current, current.layers.compactMap { effects[$0.name] })
        }
    }
}

extension LayerCandidate {
    /// Whether another would do about the same to the outputs: its error is within a tenth.
    fileprivate func resembles(_ other: LayerCandidate) -> Bool {
        abs(log(max(error, 1e-12) / max(other.error, 1e-12))) < 0.1
    }
}

extension AllocationPlan {
    /// The plan with those layers replaced too that it keeps though they need not stay, at about half their cost: to see
    /// what an error of theirs does.
    func probing(_ options: [LayerOptions], measure: CostMeasure) -> AllocationPlan {
        var result = self
        for (index, options) in options.enumerated() where layers[index].choice == nil && options.kept == nil {
            let half = options.original.amount(measure) / 2
            result.layers[index].choice = options.front(measure).min {
                abs($0.cost.amount(measure) - half) < abs($1.cost.amount(measure) - half)
            }
        }
        return result
    }
}
