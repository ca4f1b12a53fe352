/// Sizes that come from a file, or are computed from one, are multiplied and added here: overflow throws.
public enum CheckedArithmetic {
    /// The product of `factors`; 1 for none.
    /// - Throws: ``TensorError/sizeOverflow(_:)``.
    public static func product(_ factors: [Int]) throws(TensorError) -> Int {
        var result = 1
        for factor in factors {
            let (product, overflow) = result.multipliedReportingOverflow(by: factor)
            if overflow { throw .sizeOverflow(factors) }
            result = product
        }
        return result
    }

    /// The sum of `terms`; 0 for none.
    /// - Throws: ``TensorError/sizeOverflow(_:)``.
    public static func sum(_ terms: [Int]) throws(TensorError) -> Int {
        var result = 0
        for term in terms {
            let (sum, overflow) = result.addingReportingOverflow(term)
            if overflow { throw .sizeOverflow(terms) }
            result = sum
        }
        return result
    }
}
