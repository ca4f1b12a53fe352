import MartletNetworks
import MartletParallelism
import MartletTensors

/// Chooses the range of every quantized value by what it does to the results of the layers that read it.
///
/// A value that only additions, poolings and the like read counts by its own error. Where several read it, or several values
/// share a scale, the errors are summed, each relative to the result it is an error of.
struct RangeSearch {
    /// A choice.
    struct Choice {
        var method: RangeMethod
        var parameters: AffineParameters
    }

    /// By the value that gives its name to a scale.
    private(set) var choices: [String: Choice] = [:]

    /// - Parameters:
    ///   - methods: the ways to choose from; the first is taken where the errors are equal.
    ///   - batches: the images to measure on.
    init(
        _ placement: Placement, _ network: Network, histograms: [String: Histogram], methods: [RangeMethod],
        laboratories: [LayerLaboratory], pool: ThreadPool, batches: CalibrationBatches,
        progress: @escaping (_ images: Int) throws -> Void
    ) throws {
        /// A group's candidates, without repetitions, and their errors so far.
        struct Contest {
            var choices: [Choice]
            var errors: [Double]
        }
        var contests: [String: Contest] = [:]
        for (name, members) in placement.groups {
            var histogram = Histogram()
            for member in members { if let own = histograms[member] { histogram.merge(own) } }
            if histogram.count == 0 { throw QuantizationError.notFinite(value: name) }
            var contest = Contest(choices: [], errors: [])
            for method in methods {
                let parameters = method.parameters(for: histogram)
                if contest.choices.contains(where: { $0.parameters == parameters }) { continue }
                contest.choices.append(Choice(method: method, parameters: parameters))
                contest.errors.append(0)
            }
            contests[name] = contest
        }
        var readers: [String: [LayerLaboratory]] = [:]
        for laboratory in laboratories {
            if let input = network.nodes[laboratory.layer.nodeIndex].input(0) {
                readers[input, default: []].append(laboratory)
            }
        }
        let tapped = try TappedNetwork(network, values: placement.values, pool: pool)
        var seen = 0
        try batches { batch in
            let values = try tapped.run(batch)
            for name in placement.values {
                let group = placement.representative(of: name)
                guard let value = values[name], var contest = contests[group], contest.choices.count > 1 else {
                    continue
                }
                let exact = try readers[name, default: []].map { try $0.result(value) }
                for index in contest.choices.indices {
                    let rounded = try value.requantized(contest.choices[index].parameters)
                    if exact.isEmpty {
                        let (difference, whole) = value.squaredDifference(from: rounded)
                        contest.errors[index] += whole > 0 ? difference / whole : 0
                    }
                    for (reader, exact) in zip(readers[name, default: []], exact) {
                        let (difference, whole) = exact.squaredDifference(from: try reader.result(rounded))
                        contest.errors[index] += whole > 0 ? difference / whole : 0
                    }
                }
                contests[group] = contest
            }
            seen += batch.shape.extents.first ?? 0
            try progress(seen)
        }
        for (name, contest) in contests {
            var best = 0
            for index in contest.errors.indices where contest.errors[index] < contest.errors[best] { best = index }
            choices[name] = contest.choices[best]
        }
    }
}
