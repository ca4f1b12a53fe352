import MartletLinearAlgebra
import MartletParallelism

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Global analytic empirical variational Bayesian matrix factorisation (Nakajima et al., "Global Analytic Solution of
/// Fully-Observed Variational Bayesian Matrix Factorization", JMLR 2013): how many singular values of a matrix stand
/// above what noise would give.
///
/// The noise variance, if not given, minimises the free energy between the bounds of the paper's section on noise
/// estimation; the energy may have several minima, and the search (Brent's, from the golden section of the whole
/// interval) ends in one of them, as the field's reference implementations do.
public struct VBMF: Sendable, Equatable {
    /// The number of singular values above the threshold.
    public let rank: Int
    /// The variance of the noise on an element.
    public let noiseVariance: Double
    /// The singular value above which a component is kept.
    public let threshold: Double

    /// Analyses a matrix of any shape.
    /// - Parameter noiseVariance: the variance of the noise, if known.
    /// - Throws: ``DecompositionError/nonFinite(subject:)``, `LinearAlgebraError`.
    public init(_ matrix: Matrix, noiseVariance: Double? = nil, pool: ThreadPool) throws {
        guard matrix.isFinite else { throw DecompositionError.nonFinite(subject: "the unfolding") }
        let wide = matrix.rows <= matrix.columns
        let squares = try SymmetricEigendecomposition.values(of: matrix.gram(transposed: !wide, pool: pool))
        self.init(
            squaredSingularValues: squares, longSide: wide ? matrix.columns : matrix.rows,
            noiseVariance: noiseVariance)
    }

    /// Analyses an `L x M` matrix, `L <= M`, given its `L` squared singular values, largest first.
    init(squaredSingularValues: [Double], longSide: Int, noiseVariance: Double?) {
        let largest = squaredSingularValues.first ?? 0
        guard largest > 0, longSide > 0 else {
            (self.rank, self.noiseVariance, self.threshold) = (0, 0, 0)
            return
        }
        // Below this the squares are rounding errors. A zero would make the energy infinite for every variance; a
        // floor only shifts it.
        let squares = squaredSingularValues.map { max($0, 1e-16 * largest) }
        let (short, long) = (Double(squares.count), Double(longSide))
        let energy = FreeEnergy(squares: squares, long: long)

        let variance: Double
        if let noiseVariance {
            variance = noiseVariance
        } else {
            // At least this many components are noise.
            let first = max(0, min(Int((short / (1 + energy.aspect)).rounded(.up)) - 1, squares.count - 1))
            let tail = squares[first...]
            let tailMean = tail.reduce(0, +) / Double(tail.count)
            let lower = max(squares[first] / (long * energy.limit), tailMean / long)
            let upper = squares.reduce(0, +) / (short * long)
            variance =
                lower < upper
                ? minimum(of: energy.value, from: lower, to: upper, tolerance: 1e-9 * upper) : upper
        }
        let threshold = long * variance * energy.limit
        self.noiseVariance = variance
        self.threshold = threshold.squareRoot()
        self.rank = squares.count { $0 > threshold }
    }

    /// The free energy as a function of the noise variance, up to a constant.
    private struct FreeEnergy {
        let squares: [Double]
        let long: Double
        /// `alpha = L / M`.
        let aspect: Double
        /// `(1 + tau)(1 + alpha / tau)`: a squared singular value above `M sigma^2` times this is kept.
        let limit: Double

        init(squares: [Double], long: Double) {
            self.squares = squares
            self.long = long
            self.aspect = Double(squares.count) / long
            // The paper's approximation of the root of its equation for tau.
            let tau = 2.5129 * aspect.squareRoot()
            self.limit = (1 + tau) * (1 + aspect / tau)
        }

        func value(variance: Double) -> Double {
            var sum = 0.0
            for square in squares {
                let x = square / (long * variance)
                if x > limit {
                    let shifted = x - (1 + aspect)
                    let tau = 0.5 * (shifted + max(0, shifted * shifted - 4 * aspect).squareRoot())
                    sum += x - tau + log((tau + 1) / x) + aspect * log(tau / aspect + 1)
                } else {
                    sum += x - log(x)
                }
            }
            return sum
        }
    }
}
