import MartletEvaluation

extension BudgetCompressor {
    /// How often a size is tried while the smallest is looked for.
    static let dropTrials = 7

    /// The smallest network, by parameters, that loses no more than `drop`: of the accuracy on the images of the comparison
    /// that have labels, or of the agreement with the original where none has.
    ///
    /// Weights are measured once, at half the size; then sizes are bisected, each network fitted and looked at.
    func smallest(_ job: Job, drop: Double) throws -> Result {
        guard let comparison = job.comparison else { throw CompressionError.needsImages(purpose: "a drop") }
        let total = try total(job.network, .parameters)
        func planned(_ part: Double, _ weights: [String: Double]) throws -> AllocationPlan {
            try AllocationPlan(
                job.options, weights: weights, measure: .parameters, limit: part * total, total: total, budget: budget)
        }
        let least =
            job.options.reduce(total) { sum, options in
                let cheapest = options.kept == nil ? options.front(.parameters).first : nil
                return sum + (cheapest?.cost.amount(.parameters) ?? options.original.amount(.parameters))
                    - options.original.amount(.parameters)
            } / total
        let middle = min(1, max(0.5, least * 1.05))
        let (first, effects) = try plan(job, .parameters) { try planned(middle, $0) }
        let weights = Dictionary(first.layers.map { ($0.name, $0.weight) }) { first, _ in first }
        func loss(_ result: Result) throws -> Double {
            let change = try comparison.change(of: result.network)
            if let right = change.right {
                return Double(right.original - right.changed) / Double(max(1, right.labelled))
            }
            return 1 - change.agreement
        }
        var (low, high) = (least, 1.0)
        var best: Result?
        var part = middle
        for trial in 0..<Self.dropTrials {
            try job.checkCancellation()
            try job.progress("trying sizes", trial, Self.dropTrials)
            let result = try fitted(job, (try planned(part, weights), effects))
            if try loss(result) <= drop {
                high = part
                best = result
            } else {
                low = part
            }
            part = (low + high) / 2
            if high - low < 0.01 { break }
        }
        guard let best else {
            throw CompressionError.budgetOutOfReach(
                budget: "\(budget)", least: "\((high * 1000).rounded() / 1000) of the parameters, which loses more",
                most: "1")
        }
        return best
    }
}
