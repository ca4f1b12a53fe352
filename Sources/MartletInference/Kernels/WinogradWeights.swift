// G g G^T of Winograd's minimal filtering (Lavin and Gray, 2016); the kernels' `WinogradInput.swift` has B and the points.

/// A variant of Winograd's minimal filtering for 3x3 kernels of stride 1.
enum WinogradTile: Int, Sendable {
    /// F(2x2, 3x3): 16 products for 4 pixels instead of 36.
    case two = 2
    /// F(4x4, 3x3): 36 products for 16 pixels instead of 144.
    case four = 4

    /// The pixels of the output along one side of a tile.
    var outputSize: Int { rawValue }
    /// The pixels of the input, and the positions of the transforms, along one side of a tile.
    var inputSize: Int { rawValue + 2 }
    /// The positions of the transforms: one matrix product each.
    var positions: Int { inputSize * inputSize }
}

/// The floats of ``packWinogradWeights(_:kernel:outputs:inputs:lanes:pairs:into:)`` for `lanes` channels a block.
func winogradWeightCount(_ tile: WinogradTile, outputs: Int, inputs: Int, lanes: Int) -> Int {
    let (outputBlocks, inputBlocks) = ((outputs + lanes - 1) / lanes, (inputs + lanes - 1) / lanes)
    return tile.positions * outputBlocks * inputBlocks * lanes * lanes
}

/// Transforms 3x3 kernels and packs them as `convolveRows` reads them.
///
/// The result is `[positions][output pair][input block][lane][vectors][lane]`: for each position the weights of pairs of
/// output blocks, of which the last is a single block if their number is odd (`vectors` is 1 there). Channels past the
/// last are zero. The arithmetic is in double precision, rounded once.
///
/// - Parameters:
///   - tile: The variant.
///   - kernel: `[outputs, inputs, 3, 3]`.
///   - outputs: The number of output channels.
///   - inputs: The number of input channels.
///   - lanes: The channels of a block, a multiple of 4.
///   - pairs: The pairs of output blocks to do; different ones can be done at the same time.
///   - packed: ``winogradWeightCount(_:outputs:inputs:lanes:)`` floats, all of which the pairs together write.
func packWinogradWeights(
    _ tile: WinogradTile, kernel: UnsafePointer<Float>, outputs: Int, inputs: Int, lanes: Int, pairs: Range<Int>,
    into packed: UnsafeMutablePointer<Float>
) {
    let (outputBlocks, inputBlocks) = ((outputs + lanes - 1) / lanes, (inputs + lanes - 1) / lanes)
    let positionStep = outputBlocks * inputBlocks * lanes * lanes
    // The positions often lie a power of two apart, where writing to all of them in turn throws them out of the caches
    // again and again: a few channels at a time are put together elsewhere.
    let group = 4
    let size = tile.positions * group * 2 * lanes
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size + 9) { buffer in
        buffer.initialize(repeating: 0)
        guard let scratch = buffer.baseAddress else { return }
        @inline(__always) func taps(_ output: Int, _ input: Int) -> UnsafePointer<Float> {
            // The end of the buffer stays zero, for the channels past the last.
            output < outputs && input < inputs ? kernel + (output * inputs + input) * 9 : UnsafePointer(scratch + size)
        }
        for pair in pairs {
            let firstBlock = 2 * pair
            let width = min(2, outputBlocks - firstBlock) * lanes
            let scratchStep = group * width
            var target = packed + firstBlock * inputBlocks * lanes * lanes
            for firstInput in stride(from: 0, to: inputBlocks * lanes, by: group) {
                for index in 0..<group {
                    for first in stride(from: 0, to: width, by: 4) {
                        let output = firstBlock * lanes + first
                        let input = firstInput + index
                        let kernels = Kernels(
                            taps(output, input), taps(output + 1, input), taps(output + 2, input),
                            taps(output + 3, input))
                        let place = scratch + index * width + first
                        switch tile {
                        case .two: kernels.transform2(into: place, positionStep: scratchStep)
                        case .four: kernels.transform4(into: place, positionStep: scratchStep)
                        }
                    }
                }
                for position in 0..<tile.positions {
                    (target + position * positionStep).update(
                        from: scratch + position * scratchStep, count: scratchStep)
                }
                target += scratchStep
            }
        }
    }
}

/// The 3x3 kernels of one input channel for four output channels.
private struct Kernels {
    typealias Row = (SIMD4<Double>, SIMD4<Double>, SIMD4<Double>)
    var rows: (Row, Row, Row)

    /// The kernels at four places.
    @inline(__always) init(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>, _ d: UnsafePointer<Float>
    ) {
        @inline(__always) func tap(_ index: Int) -> SIMD4<Double> {
            SIMD4(Double(a[index]), Double(b[index]), Double(c[index]), Double(d[index]))
        }
        rows = ((tap(0), tap(1), tap(2)), (tap(3), tap(4), tap(5)), (tap(6), tap(7), tap(8)))
    }

    /// g G^T for one row of F(4x4, 3x3), by columns: a row of G is `[1, p, p^2] / N(p)` for the point p, where N is
    /// the product of its distances from the other points; for infinity it is [0, 0, 1].
    @inline(__always) private static func transformed4(
        _ g: Row
    ) -> (
        SIMD4<Double>, SIMD4<Double>, SIMD4<Double>, SIMD4<Double>, SIMD4<Double>, SIMD4<Double>
    ) {
        let (inner, outer) = (0.390625, 2.25)
        let innerScale = 1 / (2 * inner * (inner - outer))
        let outerScale = 1 / (2 * outer * (outer - inner))
        let (innerEven, innerOdd) = (g.0 + inner * g.2, 0.625 * g.1)
        let (outerEven, outerOdd) = (g.0 + outer * g.2, 1.5 * g.1)
        return (
            (1 / (inner * outer)) * g.0, innerScale * (innerEven + innerOdd), innerScale * (innerEven - innerOdd),
            outerScale * (outerEven + outerOdd), outerScale * (outerEven - outerOdd), g.2
        )
    }

    @inline(__always) private static func store(_ value: SIMD4<Double>, to target: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(target).storeBytes(of: SIMD4<Float>(value), as: SIMD4<Float>.self)
    }

    @inline(__always) func transform4(into target: UnsafeMutablePointer<Float>, positionStep: Int) {
        let a = Kernels.transformed4(rows.0)
        let b = Kernels.transformed4(rows.1)
        let c = Kernels.transformed4(rows.2)
        @inline(__always) func column(_ index: Int, _ g: Row) {
            let y = Kernels.transformed4(g)
            Kernels.store(y.0, to: target + index * positionStep)
            Kernels.store(y.1, to: target + (6 + index) * positionStep)
            Kernels.store(y.2, to: target + (12 + index) * positionStep)
            Kernels.store(y.3, to: target + (18 + index) * positionStep)
            Kernels.store(y.4, to: target + (24 + index) * positionStep)
            Kernels.store(y.5, to: target + (30 + index) * positionStep)
        }
        column(0, (a.0, b.0, c.0))
        column(1, (a.1, b.1, c.1))
        column(2, (a.2, b.2, c.2))
        column(3, (a.3, b.3, c.3))
        column(4, (a.4, b.4, c.4))
        column(5, (a.5, b.5, c.5))
    }

    /// g G^T for one row of F(2x2, 3x3).
    @inline(__always) private static func transformed2(
        _ g: Row
    ) -> (SIMD4<Double>, SIMD4<Double>, SIMD4<Double>, SIMD4<Double>) {
        let even = 0.5 * (g.0 + g.2)
        let odd = 0.5 * g.1
        return (g.0, even + odd, even - odd, g.2)
    }

    @inline(__always) func transform2(into target: UnsafeMutablePointer<Float>, positionStep: Int) {
        let a = Kernels.transformed2(rows.0)
        let b = Kernels.transformed2(rows.1)
        let c = Kernels.transformed2(rows.2)
        @inline(__always) func column(_ index: Int, _ g: Row) {
            let y = Kernels.transformed2(g)
            Kernels.store(y.0, to: target + index * positionStep)
            Kernels.store(y.1, to: target + (4 + index) * positionStep)
            Kernels.store(y.2, to: target + (8 + index) * positionStep)
            Kernels.store(y.3, to: target + (12 + index) * positionStep)
        }
        column(0, (a.0, b.0, c.0))
        column(1, (a.1, b.1, c.1))
        column(2, (a.2, b.2, c.2))
        column(3, (a.3, b.3, c.3))
    }
}
