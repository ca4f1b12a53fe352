import MartletLinearAlgebra

extension SecondMoment {
    /// `C = Sigma - mu mu^T`, the covariance of the patches.
    ///
    /// With the bias corrected to `b' = b + (W - V) mu`, replacing `W` by `V` costs `tr((W - V) C (W - V)^T)`: never more
    /// than without the correction, and the layer is as large as before.
    /// - Parameter mean: `mu = E[u]`, `D` numbers.
    /// - Throws: ``DecompositionError/dimensionMismatch(patch:secondMoment:)``.
    public func centred(by mean: [Double]) throws(DecompositionError) -> SecondMoment {
        guard mean.count == dimension else {
            throw .dimensionMismatch(patch: mean.count, secondMoment: dimension)
        }
        var covariance = matrix
        let order = dimension
        covariance.withMutableElements { elements in
            for row in 0..<order {
                for column in 0..<order { elements[row * order + column] -= mean[row] * mean[column] }
                // A constant input leaves rounding of either sign.
                elements[row * order + row] = max(0, elements[row * order + row])
            }
        }
        return SecondMoment(known: covariance, patchCount: patchCount)
    }
}
