import MartletLinearAlgebra
import MartletTensors

/// The weights of a convolution, `[T, S, h, w]` row-major, in double precision. A fully connected layer is the case
/// `h = w = 1`.
public struct ConvolutionKernel: Equatable, Sendable {
    /// The number of outputs, `T`.
    public let outputs: Int
    /// The number of inputs, `S` (those of one group).
    public let inputs: Int
    /// The height of the window, `h`.
    public let height: Int
    /// The width of the window, `w`.
    public let width: Int
    /// The weights as the matrix `[T, S h w]` that multiplies a patch.
    public let matrix: Matrix

    /// A kernel from its elements, `[T, S, h, w]` row-major.
    /// - Throws: ``DecompositionError`` if an extent is not positive, the elements do not fill it, or one is not finite.
    public init(outputs: Int, inputs: Int, height: Int, width: Int, elements: [Double]) throws {
        let shape = [outputs, inputs, height, width]
        guard shape.allSatisfy({ $0 > 0 }) else { throw DecompositionError.emptyKernel(shape: shape) }
        guard try CheckedArithmetic.product(shape) == elements.count else {
            throw DecompositionError.elementCountMismatch(shape: shape, count: elements.count)
        }
        let matrix = try Matrix(rows: outputs, columns: inputs * height * width, elements: elements)
        guard matrix.isFinite else { throw DecompositionError.nonFinite(subject: "the kernel") }
        self.init(matrix: matrix, inputs: inputs, height: height, width: width)
    }

    /// A kernel from elements in single precision.
    /// - Throws: as ``init(outputs:inputs:height:width:elements:)-(_,_,_,_,[Double])``.
    public init(outputs: Int, inputs: Int, height: Int, width: Int, elements: [Float]) throws {
        try self.init(
            outputs: outputs, inputs: inputs, height: height, width: width, elements: elements.map(Double.init))
    }

    /// A kernel whose extents are known to fit: `matrix` is `[T, S h w]`.
    init(matrix: Matrix, inputs: Int, height: Int, width: Int) {
        precondition(matrix.columns == inputs * height * width)
        self.outputs = matrix.rows
        self.inputs = inputs
        self.height = height
        self.width = width
        self.matrix = matrix
    }

    /// The number of places in the window, `h w`.
    public var taps: Int { height * width }
    /// The number of inputs to one output value, `S h w`.
    public var patchSize: Int { matrix.columns }
    /// The number of weights.
    public var parameterCount: Int { matrix.elements.count }
    /// `[T, S, h, w]`.
    public var shape: [Int] { [outputs, inputs, height, width] }
    /// The weights, `[T, S, h, w]` row-major.
    public var elements: [Double] { matrix.elements }
    /// The weights in single precision.
    public var floatElements: [Float] { matrix.elements.map { Float($0) } }
}
