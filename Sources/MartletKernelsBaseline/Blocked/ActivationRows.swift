// Activations that are no clamps, of one channel block: rows x columns pixels; the output may be the input. NaN stays NaN.
// Clamps (ReLU and its like) are part of what comes before them.

/// y = x where x is not negative, else slope x.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between its rows.
///   - output: Laid out in the same way.
///   - outputRowStep: Floats between its rows.
///   - slope: The factor of negative numbers.
public func leakyReluRows(
    input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int, slope: Float
) {
    let slope = Vector(repeating: slope)
    var row = 0
    while row < rows {
        let (source, target) = (input + row * inputRowStep, output + row * outputRowStep)
        var i = 0
        while i < columns * Vector.scalarCount {
            let x = load(source + i)
            store(x.replacing(with: slope * x, where: x .< Vector(repeating: 0)), to: target + i)
            i += Vector.scalarCount
        }
        row += 1
    }
}

/// y = x where x is not negative, else the slope of its channel times x.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between its rows.
///   - output: Laid out in the same way.
///   - outputRowStep: Floats between its rows.
///   - slopes: A vector.
public func parametricReluRows(
    input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int, slopes: UnsafePointer<Float>
) {
    let slopes = load(slopes)
    var row = 0
    while row < rows {
        let (source, target) = (input + row * inputRowStep, output + row * outputRowStep)
        var i = 0
        while i < columns * Vector.scalarCount {
            let x = load(source + i)
            store(x.replacing(with: slopes * x, where: x .< Vector(repeating: 0)), to: target + i)
            i += Vector.scalarCount
        }
        row += 1
    }
}

/// y = clamp(scale x + shift), with a scale and a shift for each channel: a batch normalization that stands alone.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between its rows.
///   - output: Laid out in the same way.
///   - outputRowStep: Floats between its rows.
///   - scale: A vector.
///   - shift: A vector.
///   - minimum: The least value of the result, -infinity for none.
///   - maximum: The largest value of the result, infinity for none.
public func scaleAndShiftRows(
    input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>, minimum: Float, maximum: Float
) {
    let (scale, shift) = (load(scale), load(shift))
    var row = 0
    while row < rows {
        let (source, target) = (input + row * inputRowStep, output + row * outputRowStep)
        var i = 0
        while i < columns * Vector.scalarCount {
            store(clamp(multiplyAdd(shift, scale, load(source + i)), minimum, maximum), to: target + i)
            i += Vector.scalarCount
        }
        row += 1
    }
}

/// y = 1 / (1 + e^-x).
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between its rows.
///   - output: Laid out in the same way.
///   - outputRowStep: Floats between its rows.
public func sigmoidRows(
    input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int
) {
    let one = Vector(repeating: 1)
    var row = 0
    while row < rows {
        let (source, target) = (input + row * inputRowStep, output + row * outputRowStep)
        var i = 0
        while i < columns * Vector.scalarCount {
            store(one / (one + exponential(Vector(repeating: 0) - load(source + i))), to: target + i)
            i += Vector.scalarCount
        }
        row += 1
    }
}

/// y = max(0, min(1, alpha x + beta)).
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between its rows.
///   - output: Laid out in the same way.
///   - outputRowStep: Floats between its rows.
///   - alpha: The slope.
///   - beta: The value at 0.
public func hardSigmoidRows(
    input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int, alpha: Float, beta: Float
) {
    let (alpha, beta) = (Vector(repeating: alpha), Vector(repeating: beta))
    var row = 0
    while row < rows {
        let (source, target) = (input + row * inputRowStep, output + row * outputRowStep)
        var i = 0
        while i < columns * Vector.scalarCount {
            store(clamp(multiplyAdd(beta, alpha, load(source + i)), 0, 1), to: target + i)
            i += Vector.scalarCount
        }
        row += 1
    }
}

/// y = x max(0, min(1, x / 6 + 1/2)).
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between its rows.
///   - output: Laid out in the same way.
///   - outputRowStep: Floats between its rows.
public func hardSwishRows(
    input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int
) {
    var row = 0
    while row < rows {
        let (source, target) = (input + row * inputRowStep, output + row * outputRowStep)
        var i = 0
        while i < columns * Vector.scalarCount {
            let x = load(source + i)
            let gate = clamp(multiplyAdd(Vector(repeating: 0.5), Vector(repeating: 1 / 6), x), 0, 1)
            store(x * gate, to: target + i)
            i += Vector.scalarCount
        }
        row += 1
    }
}

/// y = tanh x.
///
/// - Parameters:
///   - input: Pixel (0, 0); pixels of a row are vectors.
///   - inputRowStep: Floats between its rows.
///   - output: Laid out in the same way.
///   - outputRowStep: Floats between its rows.
public func hyperbolicTangentRows(
    input: UnsafePointer<Float>, inputRowStep: Int, output: UnsafeMutablePointer<Float>, outputRowStep: Int,
    rows: Int, columns: Int
) {
    let one = Vector(repeating: 1)
    var row = 0
    while row < rows {
        let (source, target) = (input + row * inputRowStep, output + row * outputRowStep)
        var i = 0
        while i < columns * Vector.scalarCount {
            let x = load(source + i)
            // 1 - 2 / (e^2x + 1) loses its digits near 0, where a few terms of the series do.
            let square = x * x
            let low = multiplyAdd(Vector(repeating: -1.0 / 3), square, Vector(repeating: 2.0 / 15))
            let high = multiplyAdd(Vector(repeating: -17.0 / 315), square, Vector(repeating: 62.0 / 2835))
            let near = x + (x * square) * (high * (square * square) + low)
            let far = one - Vector(repeating: 2) / (exponential(x + x) + one)
            store(far.replacing(with: near, where: square .< Vector(repeating: 0.09)), to: target + i)
            i += Vector.scalarCount
        }
        row += 1
    }
}
