import MartletTensors

/// What a node computes. Each case names its inputs in order; a `?` marks one that may be absent.
///
/// The semantics are those of the ONNX operators of the same names at opset 21, for inference. Operators of older
/// opsets that differ are brought to this form when a file is read.
public enum Operator: Equatable, Sendable {
    /// `x, weight, bias?` and `residual` if ``Convolution/addsResidual``.
    case convolution(Convolution)
    /// `x, scale, bias, mean, variance`, each of the last four `[channels]`.
    case batchNormalization(epsilon: Float)
    /// `x`: elementwise.
    case activation(Activation)
    /// `x, minimum?, maximum?`, both scalars.
    case clip
    /// `x, slope`, the slope broadcast to x.
    case parametricRelu
    /// `x`.
    case maxPool(Pooling)
    /// `x`.
    case averagePool(Pooling, countsPadding: Bool)
    /// `x`: the mean over all spatial axes.
    case globalAveragePool
    /// `x`: the maximum over all spatial axes.
    case globalMaxPool
    /// `x, axes?`: all axes if absent, unless `keepsInputIfNoAxes`.
    case reduceMean(keepsAxes: Bool, keepsInputIfNoAxes: Bool)
    /// `a, b`, broadcast to each other.
    case arithmetic(Arithmetic)
    /// One or more values, broadcast to each other.
    case sum
    /// One or more values.
    case concat(axis: Int)
    /// `x, sizes?`: equal parts (the last smaller) if absent.
    case split(axis: Int)
    /// `a, b, c?`.
    case gemm(Gemm)
    /// `a, b`, as numpy's `matmul`.
    case matMul
    /// `x` as a matrix: axes before `axis` are the rows.
    case flatten(axis: Int)
    /// `x, shape`; 0 stands for the input's extent unless `allowsZero`, -1 for what is left.
    case reshape(allowsZero: Bool)
    /// `x, axes?`: all axes of extent 1 if absent.
    case squeeze
    /// `x, axes`.
    case unsqueeze
    /// `x`; the axes reversed without a permutation.
    case transpose(permutation: [Int]?)
    /// `x`.
    case softmax(Softmax)
    /// `x`.
    case localResponseNormalization(LocalResponseNormalization)
    /// `x, ratio?, training?`, outputs `y, mask?`: the identity, and a mask of `true`.
    case dropout
    /// `x`.
    case identity
    /// `shape`: filled with one value.
    case constantOfShape(value: Tensor)
    /// `x`: its extents from `start` to `end`, as int64.
    case shape(start: Int, end: Int?)
    /// `x, indices`.
    case gather(axis: Int)
    /// `x, starts, ends, axes?, steps?`.
    case slice
    /// `x`.
    case cast(to: ElementType)
    /// `x, pads, value?, axes?`.
    case pad(PadMode)
    /// `x, shape`, broadcast to each other.
    case expand
    /// `a, b`, broadcast to each other.
    case equal
    /// `condition, a, b`, broadcast to each other.
    case select
    /// `x, scale, zeroPoint?`: `x / scale` rounded, ties to even, plus the zero point, saturated. One scale, or one for each
    /// index of `axis`. The result has the zero point's type, or `type` where there is none.
    case quantizeLinear(axis: Int, type: ElementType)
    /// `x, scale, zeroPoint?`: `(x - zeroPoint) scale`, in the scale's type. One scale, or one for each index of `axis`.
    case dequantizeLinear(axis: Int)
    /// `x`, outputs `y, scale, zeroPoint`: uint8 over the range of `x`, which is made to hold zero.
    case dynamicQuantizeLinear
    /// `x, xScale, xZeroPoint, weight, weightScale, weightZeroPoint, yScale, yZeroPoint, bias?`: a convolution of 8-bit
    /// integers with an int32 bias in units of `xScale weightScale`. The weight has one scale, or one an output.
    case quantizedConvolution(Convolution)
    /// `a, aScale, aZeroPoint, b, bScale, bZeroPoint, yScale, yZeroPoint`. `b` has one scale, or one a column.
    case quantizedMatMul
    /// `x, weight, xZeroPoint?, weightZeroPoint?`: 8-bit integers to int32. The weight has one zero point, or one an output.
    case integerConvolution(Convolution)
    /// `a, b, aZeroPoint?, bZeroPoint?`: 8-bit integers to int32. One zero point, or one a row of `a` and a column of `b`.
    case integerMatMul
}

/// An elementwise function of one argument.
public enum Activation: Hashable, Sendable {
    /// max(x, 0).
    case relu
    /// x where positive, else `slope` x.
    case leakyRelu(slope: Float)
    /// 1 / (1 + e^-x).
    case sigmoid
    /// max(0, min(1, alpha x + beta)).
    case hardSigmoid(alpha: Float, beta: Float)
    /// x max(0, min(1, x / 6 + 1/2)).
    case hardSwish
    /// The hyperbolic tangent.
    case tanh
    /// max(minimum, min(maximum, x)): `clip` with constant bounds, as fused into a convolution.
    case clip(minimum: Float, maximum: Float)
}

/// An elementwise function of two arguments.
public enum Arithmetic: String, Hashable, Sendable, CaseIterable {
    /// The four operations; integer division truncates.
    case add, subtract, multiply, divide
}

/// A convolution of any number of spatial axes: weight `[outputs, inputs / groups, kernel...]`.
public struct Convolution: Hashable, Sendable {
    /// How the kernel slides.
    public var window: Window
    /// Groups of channels that do not see each other.
    public var groups: Int
    /// Whether the last input is added to the result before the activation. Set by fusion.
    public var addsResidual: Bool
    /// What is applied to the result. Set by fusion.
    public var activation: Activation?

    /// A convolution; fusion fills in the rest.
    public init(window: Window, groups: Int = 1, addsResidual: Bool = false, activation: Activation? = nil) {
        self.window = window
        self.groups = groups
        self.addsResidual = addsResidual
        self.activation = activation
    }
}

/// A pooling window.
public struct Pooling: Hashable, Sendable {
    /// How the window slides.
    public var window: Window
    /// Whether a last window may hang over the border.
    public var ceilMode: Bool

    /// A pooling window.
    public init(window: Window, ceilMode: Bool = false) {
        self.window = window
        self.ceilMode = ceilMode
    }
}

/// `alpha op(a) op(b) + beta c`.
public struct Gemm: Hashable, Sendable {
    /// The factor of the product.
    public var alpha: Float
    /// The factor of the addend.
    public var beta: Float
    /// Whether the first matrix is transposed.
    public var transposesA: Bool
    /// Whether the second matrix is transposed.
    public var transposesB: Bool
    /// What is applied to the result. Set by fusion.
    public var activation: Activation?

    /// A matrix product with addend.
    public init(
        alpha: Float = 1, beta: Float = 1, transposesA: Bool = false, transposesB: Bool = false,
        activation: Activation? = nil
    ) {
        self.alpha = alpha
        self.beta = beta
        self.transposesA = transposesA
        self.transposesB = transposesB
        self.activation = activation
    }
}

/// Softmax or its logarithm.
public struct Softmax: Hashable, Sendable {
    /// The axis that sums to one.
    public var axis: Int
    /// Whether the logarithm is wanted.
    public var isLogarithmic: Bool
    /// Whether all axes from `axis` on sum to one together, as before opset 13.
    public var flattensTrailingAxes: Bool

    /// A softmax.
    public init(axis: Int, isLogarithmic: Bool = false, flattensTrailingAxes: Bool = false) {
        self.axis = axis
        self.isLogarithmic = isLogarithmic
        self.flattensTrailingAxes = flattensTrailingAxes
    }
}

/// Local response normalisation across channels: x / (bias + alpha / size sum x^2)^beta.
public struct LocalResponseNormalization: Hashable, Sendable {
    /// The factor of the mean square.
    public var alpha: Float
    /// The exponent.
    public var beta: Float
    /// What keeps the base from zero.
    public var bias: Float
    /// The number of channels in the sum.
    public var size: Int

    /// A normalisation with these constants.
    public init(alpha: Float, beta: Float, bias: Float, size: Int) {
        self.alpha = alpha
        self.beta = beta
        self.bias = bias
        self.size = size
    }
}

/// What a padded border holds.
public enum PadMode: String, Hashable, Sendable {
    /// One value.
    case constant
    /// The interior mirrored, its edge not repeated.
    case reflect
    /// The edge.
    case edge
    /// The opposite side.
    case wrap
}
