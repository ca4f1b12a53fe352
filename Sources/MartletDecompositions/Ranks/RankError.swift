import MartletLinearAlgebra
import MartletParallelism

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Ranks, and the error that a method leaves at them.
public struct RankError: Sendable, Equatable, Codable {
    /// The ranks, in the order of ``DecompositionForm/rankNames``.
    public var ranks: [Int]
    /// The squared relative error in the norm that the method minimises, ridge included.
    public var error: Double

    /// An error at ranks.
    public init(ranks: [Int], error: Double) {
        self.ranks = ranks
        self.error = error
    }
}

extension DecompositionMethod {
    /// The ridge with which an error is about that on other images, for one that is right to fit with.
    ///
    /// Where a fully connected layer sees as many patches as images, or fewer than it has inputs, the ridge is larger than the moment
    /// itself, and an error with it three to six times what half of the images leave on the other half. For GoogLeNet's last
    /// layer and ResNet-18's, 125 and 250 images, ridges from 2 to 8 and ranks from a quarter to three quarters of the useful ones, what
    /// the other 250 images say is what a ridge of 0.2 to 1.0 does; this is 0.40 to 0.47. A small ridge stays as it is.
    public static func expectedRidge(_ regularization: Double) -> Double { regularization / (1 + 2 * regularization) }

    /// Whether ``rankErrors(of:measurements:step:options:pool:checkCancellation:)`` knows it.
    public var hasRankErrors: Bool {
        switch self {
        case .tucker2ALSSigma, .spatialSVDSigma, .channelSVDSigma, .svdSigma, .cpALSSigma: true
        default: false
        }
    }

    /// The errors at many ranks, without fitting at each: those of the point that a fit starts from, an upper bound of
    /// what it ends with.
    ///
    /// - Tucker-2: the input factor is the leading one of the separated moment (all channels of a tap alike), and given it the
    ///   eigenvalues of one regression are the errors for every output rank at once. About eight input ranks are tried:
    ///   each costs a Cholesky decomposition of order `h w R_S`.
    /// - Spatial SVD: the same for the folded kernel, whose output rank is free.
    /// - SVD: the eigenvalues of `W Sigma W^T`, exact.
    /// - CP, for which there is no such closed form: fits at five ranks that are broken off early, and so cost a part of
    ///   one that is not.
    ///
    /// Only ranks at which the layers have fewer weights than the kernel are given.
    /// - Parameters:
    ///   - kernel: `[T, S, h, w]`.
    ///   - measurements: the second moment of its patches; with a moment of gradients too, errors are those of the complete
    ///     norm.
    ///   - step: ranks are multiples of it.
    ///   - options: how fits will be made; their ridge counts.
    ///   - pool: the threads that share the work.
    ///   - checkCancellation: called now and then; what it throws ends the work.
    /// - Returns: no entries for a method that has no such estimate, or a kernel that no ranks make smaller.
    /// - Throws: ``DecompositionError``, `LinearAlgebraError`.
    public func rankErrors(
        of kernel: ConvolutionKernel, measurements: LayerMeasurements, step: Int,
        options: DecompositionOptions = .init(), pool: ThreadPool, checkCancellation: () throws -> Void = {}
    ) throws -> [RankError] {
        if let outputMoment = measurements.outputMoment,
            let whitening = try OutputWhitening(
                outputMoment, for: kernel, options: options)
        {
            return try rankErrors(
                of: whitening.whitened(kernel, pool: pool),
                measurements: LayerMeasurements(secondMoment: measurements.secondMoment), step: step, options: options,
                pool: pool, checkCancellation: checkCancellation)
        }
        guard hasRankErrors, let secondMoment = measurements.secondMoment,
            let (moment, regularization) = try Norm.sigma(secondMoment).regularized(for: kernel, options)
        else { return [] }
        let step = max(1, step)
        let maximum = form.maximumRanks(of: kernel.shape)
        func isSmaller(_ ranks: [Int]) -> Bool {
            form.parameterCount(of: kernel.shape, ranks: ranks) < kernel.parameterCount
        }
        switch form {
        case .lowRank:
            let plain = try kernel.matrix.multiplied(by: moment.matrix, pool: pool)
                .multiplied(by: kernel.matrix, otherTransposed: true, pool: pool)
            let weights = kernel.matrix.gram(pool: pool).scaled(by: moment.matrix.trace / Double(moment.dimension))
            let eigen = try SymmetricEigendecomposition(plain.moved(along: weights, by: regularization))
            let counted = plain.moved(
                along: weights, by: self == .svdSigma ? Self.expectedRidge(regularization) : regularization)
            let image = try counted.multiplied(by: eigen.vectors, pool: pool)
            let energy = counted.trace
            var rest = energy
            var result: [RankError] = []
            for index in 0..<eigen.values.count {
                rest -= (0..<image.rows).reduce(0) { $0 + image[$1, index] * eigen.vectors[$1, index] }
                let ranks = [index + 1]
                if ranks[0] % step == 0, ranks[0] <= maximum[0], isSmaller(ranks) {
                    result.append(RankError(ranks: ranks, error: ratio(max(0, rest), of: energy)))
                }
            }
            return result
        case .tucker2:
            let problem = try Tucker2SigmaProblem(kernel, moment, regularization: regularization, pool: pool)
            let inputs = try problem.separation.leadingInputs(of: kernel, count: kernel.inputs, pool: pool)
            let grid = RankGrid.ranks(below: maximum[1], step: step).filter { isSmaller([min(step, maximum[0]), $0]) }
            let errors = try grid.map { rank in
                try checkCancellation()
                return try problem.errorsByOutputRank(inputs.leadingColumns(rank))
            }
            return stride(from: step, through: maximum[0], by: step).flatMap { output in
                RankGrid.interpolated(zip(grid, errors).map { ($0, $1[output - 1]) }, step: step)
                    .filter { isSmaller([output, $0.rank]) }
                    .map { RankError(ranks: [output, $0.rank], error: $0.error) }
            }
        case .spatial:
            let folded = ConvolutionKernel(
                matrix: kernel.matrix, inputs: kernel.inputs * kernel.height, height: 1, width: kernel.width)
            let problem = try Tucker2SigmaProblem(folded, moment, regularization: regularization, pool: pool)
            let limit = (1...maximum[0]).last { isSmaller([$0]) } ?? 0
            if limit < 1 { return [] }
            let inputs = try problem.separation.leadingInputs(of: folded, count: limit, pool: pool)
            let errors = try RankGrid.ranks(below: limit + 1, step: step).map { rank in
                try checkCancellation()
                let errors = try problem.errorsByOutputRank(inputs.leadingColumns(rank))
                return (rank, errors[min(kernel.outputs, rank * kernel.width) - 1])
            }
            return RankGrid.interpolated(errors, step: step).map { RankError(ranks: [$0.rank], error: $0.error) }
        case .canonicalPolyadic:
            let problem = try CPSigmaProblem(kernel, moment, regularization: regularization, pool: pool)
            let limit = (1...maximum[0]).last { isSmaller([$0]) } ?? 0
            let grid = CPSigmaProblem.estimates.map { Int($0 * Double(limit)) / step * step }
            let ranks = Set(grid).subtracting([0]).sorted()
            let errors = try problem.estimatedErrors(
                ranks: ranks, options: options, checkCancellation: checkCancellation)
            // More terms are no worse than fewer, wherever the fit was broken off.
            var least = Double.infinity
            let falling = zip(ranks, errors).map { rank, error in
                least = min(least, error)
                return (rank, least)
            }
            return RankGrid.interpolated(falling, step: step).map { RankError(ranks: [$0.rank], error: $0.error) }
        }
    }
}

/// The ranks that are tried where each costs something.
enum RankGrid {
    /// How many, about.
    static let count = 8

    /// Multiples of `step` below `limit`, about ``count`` of them, evenly spread; the least and the largest are always
    /// there.
    static func ranks(below limit: Int, step: Int) -> [Int] {
        let available = (limit - 1) / step
        if available < 1 { return limit > 1 ? [limit - 1] : [] }
        let stride = max(1, (available + count - 1) / count)
        let ranks = Array(Swift.stride(from: available, to: 0, by: -stride).map { $0 * step }.reversed())
        return ranks[0] == step ? ranks : [step] + ranks
    }

    /// The errors at all multiples of `step` between those known, whose ranks rise: errors fall about as powers do, so their
    /// logarithms are taken as straight.
    static func interpolated(_ known: [(rank: Int, error: Double)], step: Int) -> [(rank: Int, error: Double)] {
        var result: [(rank: Int, error: Double)] = []
        for (index, point) in known.enumerated() {
            if index > 0 {
                let before = known[index - 1]
                let (low, high) = (log(max(before.error, 1e-15)), log(max(point.error, 1e-15)))
                for rank in Swift.stride(from: before.rank + step, to: point.rank, by: step) {
                    let part = Double(rank - before.rank) / Double(point.rank - before.rank)
                    result.append((rank, exp(low + part * (high - low))))
                }
            }
            result.append(point)
        }
        return result
    }
}
