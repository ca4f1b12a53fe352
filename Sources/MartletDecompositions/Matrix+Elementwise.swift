import MartletLinearAlgebra

extension Matrix {
    /// The elements in single precision.
    var floats: [Float] { elements.map { Float($0) } }

    /// `self + factor (other - self)`.
    func moved(towards other: Matrix, by factor: Double) -> Matrix {
        var result = self
        withPointers(other, &result) { other, result in
            for index in 0..<rows * columns { result[index] += factor * (other[index] - result[index]) }
        }
        return result
    }

    /// `self + factor direction`.
    func moved(along direction: Matrix, by factor: Double) -> Matrix {
        var result = self
        withPointers(direction, &result) { direction, result in
            for index in 0..<rows * columns { result[index] += factor * direction[index] }
        }
        return result
    }

    /// The products of corresponding elements.
    func timesElements(of other: Matrix) -> Matrix {
        var result = self
        withPointers(other, &result) { other, result in
            for index in 0..<rows * columns { result[index] *= other[index] }
        }
        return result
    }

    /// The norm of each column.
    var columnNorms: [Double] {
        var squares = [Double](repeating: 0, count: columns)
        elements.withUnsafeBufferPointer { elements in
            squares.withUnsafeMutableBufferPointer { squares in
                for row in 0..<rows {
                    for column in 0..<columns {
                        let value = elements[row * columns + column]
                        squares[column] += value * value
                    }
                }
            }
        }
        return squares.map { $0.squareRoot() }
    }

    /// With each column times a number of its own.
    func scalingColumns(by factors: [Double]) -> Matrix {
        var result = self
        result.withMutableElements { elements in
            for row in 0..<rows {
                for column in 0..<columns { elements[row * columns + column] *= factors[column] }
            }
        }
        return result
    }

    /// With each row times a number of its own.
    func scalingRows(by factors: [Double]) -> Matrix {
        var result = self
        result.withMutableElements { elements in
            for row in 0..<rows {
                for column in 0..<columns { elements[row * columns + column] *= factors[row] }
            }
        }
        return result
    }
}
