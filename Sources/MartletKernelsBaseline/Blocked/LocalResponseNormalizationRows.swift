/// y = x / (bias + alpha / size * sum of x^2 over neighbouring channels)^beta, of rows x columns pixels of all blocks.
///
/// The channels of the sum are `channel - (size - 1) / 2 ... channel + size / 2`, as ONNX has it, without those that are
/// none. The output may be the input.
///
/// - Parameters:
///   - input: Pixel (0, 0) of the first block; pixels of a row are vectors.
///   - inputBlockStep: Floats between its blocks.
///   - inputRowStep: Floats between its rows.
///   - output: Laid out in the same way.
///   - outputBlockStep: Floats between its blocks.
///   - outputRowStep: Floats between its rows.
///   - channels: The number of channels of all blocks together.
///   - rows: The height.
///   - columns: The width.
///   - size: The number of channels in a sum.
///   - scratch: Room for `8 * (channels + size + 2 * vectorLanes())` floats.
public func localResponseNormalizationRows(
    input: UnsafePointer<Float>, inputBlockStep: Int, inputRowStep: Int, output: UnsafeMutablePointer<Float>,
    outputBlockStep: Int, outputRowStep: Int, channels: Int, rows: Int, columns: Int, size: Int, alpha: Float,
    beta: Float, bias: Float, scratch: UnsafeMutablePointer<Float>
) {
    let lanes = Vector.scalarCount
    let blocks = (channels + lanes - 1) / lanes
    let before = (size - 1) / 2
    // The squares of eight pixels, each pixel's channels in a row with zeros around them: the neighbours of a vector of
    // channels are then vectors too.
    let pixelStep = before + blocks * lanes + size / 2 + lanes
    let zero = Vector(repeating: 0)
    let factor = Vector(repeating: alpha / Float(size))
    let offset = Vector(repeating: bias)
    let exponent = Vector(repeating: -beta)
    var row = 0
    while row < rows {
        var column = 0
        while column < columns {
            let pixels = columns - column < 8 ? columns - column : 8
            let source = input + row * inputRowStep + column * lanes
            let target = output + row * outputRowStep + column * lanes
            var pixel = 0
            while pixel < pixels {
                let squares = scratch + pixel * pixelStep
                var i = 0
                while i < before {
                    store(zero, to: squares + i)
                    i += lanes
                }
                var block = 0
                while block < blocks {
                    let x = load(source + block * inputBlockStep + pixel * lanes)
                    store(x * x, to: squares + before + block * lanes)
                    block += 1
                }
                // What the last block has past the last channel is anything.
                i = before + channels
                while i < pixelStep - lanes {
                    store(zero, to: squares + i)
                    i += lanes
                }
                pixel += 1
            }
            var block = 0
            while block < blocks {
                pixel = 0
                while pixel < pixels {
                    let squares = scratch + pixel * pixelStep + block * lanes
                    var sum = load(squares)
                    var neighbour = 1
                    while neighbour < size {
                        sum += load(squares + neighbour)
                        neighbour += 1
                    }
                    let x = load(source + block * inputBlockStep + pixel * lanes)
                    let base = multiplyAdd(offset, factor, sum)
                    let place = target + block * outputBlockStep + pixel * lanes
                    if beta == 0.75 {
                        store(x * inverseThreeQuarterPower(base), to: place)
                    } else {
                        store(x * exponential(exponent * logarithm(base)), to: place)
                    }
                    pixel += 1
                }
                block += 1
            }
            column += pixels
        }
        row += 1
    }
}
