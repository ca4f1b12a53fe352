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

    /// Side by side with a matrix of as many rows.
    func appendingColumns(of other: Matrix) -> Matrix {
        var result = Matrix(rows: rows, columns: columns + other.columns)
        for row in 0..<rows {
            for column in 0..<columns { result[row, column] = self[row, column] }
            for column in 0..<other.columns { result[row, columns + column] = other[row, column] }
        }
        return result
    }

    /// The matrix times a number.
    func scaled(by factor: Double) -> Matrix {
        var result = self
        result.withMutableElements { elements in
            for index in elements.indices { elements[index] *= factor }
        }
        return result
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
