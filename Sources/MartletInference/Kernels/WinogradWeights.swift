// G g G^T of Winograd's minimal filtering (Lavin and Gray, 2016); the kernels' `WinogradInput.swift` has B and the points.

/// The floats of ``packWinogradWeights(_:kernel:outputs:inputs:lanes:pairs:into:)`` for `lanes` channels a block.
func winogradWeightCount(_ tile: WinogradTile, outputs: Int, inputs: Int, lanes: Int) -> Int {
    tile.kernelPositions * ((outputs + lanes - 1) / lanes) * inputs * lanes
}

/// Transforms kernels and packs them as `convolveRows` reads them.
///
/// The result is `[kernel positions][output pair][input channel][vectors][lane]`: for each position the weights of pairs of
/// output blocks, of which the last is a single block if their number is odd (`vectors` is 1 there). Output
/// channels past the last are zero. The arithmetic is in double precision, rounded once.
///
/// - Parameters:
///   - tile: The variant.
///   - kernel: `[outputs, inputs, r, r]`, r the taps of the variant.
///   - outputs: The number of output channels.
///   - inputs: The number of input channels.
///   - lanes: The channels of a block, a multiple of 4.
///   - pairs: The pairs of output blocks to do; different ones can be done at the same time.
///   - packed: ``winogradWeightCount(_:outputs:inputs:lanes:)`` floats, all of which the pairs together write.
func packWinogradWeights(
    _ tile: WinogradTile, kernel: UnsafePointer<Float>, outputs: Int, inputs: Int, lanes: Int, pairs: Range<Int>,
    into packed: UnsafeMutablePointer<Float>
) {
    let outputBlocks = (outputs + lanes - 1) / lanes
    let positionStep = outputBlocks * inputs * lanes
    // The positions often lie a power of two apart, where writing to all of them in turn throws them out of the caches
    // again and again: a few channels at a time are put together elsewhere.
    let group = 4
    let size = tile.kernelPositions * group * 2 * lanes
    let taps = tile.taps * tile.taps
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size + taps) { buffer in
        buffer.initialize(repeating: 0)
        guard let scratch = buffer.baseAddress else { return }
        @inline(__always) func kernelOf(_ output: Int, _ input: Int) -> UnsafePointer<Float> {
            // The end of the buffer stays zero, for the channels past the last.
            output < outputs
                ? kernel + (output * inputs + input) * taps : UnsafePointer(scratch + size)
        }
        for pair in pairs {
            let firstBlock = 2 * pair
            let width = min(2, outputBlocks - firstBlock) * lanes
            let scratchStep = group * width
            var target = packed + firstBlock * inputs * lanes
            for firstInput in stride(from: 0, to: inputs, by: group) {
                let part = min(group, inputs - firstInput)
                for index in 0..<part {
                    for first in stride(from: 0, to: width, by: 4) {
                        let output = firstBlock * lanes + first
                        let input = firstInput + index
                        let kernels = KernelQuad(
                            kernelOf(output, input), kernelOf(output + 1, input), kernelOf(output + 2, input),
                            kernelOf(output + 3, input))
                        let place = scratch + index * width + first
                        switch tile {
                        case .f2x3: kernels.transform4(into: place, positionStep: scratchStep)
                        case .f4x3: kernels.transform6(taps: 3, into: place, positionStep: scratchStep)
                        case .f3x4: kernels.transform6(taps: 4, into: place, positionStep: scratchStep)
                        case .f2x5: kernels.transform6(taps: 5, into: place, positionStep: scratchStep)
                        case .f2x3By2: kernels.transformStrided(into: place, positionStep: scratchStep)
                        }
                    }
                }
                for position in 0..<tile.kernelPositions {
                    (target + position * positionStep).update(
                        from: scratch + position * scratchStep, count: part * width)
                }
                target += part * width
            }
        }
    }
}

/// The same of kernels in half precision: transformed in double precision as they are, then rounded to half precision again.
func packWinogradHalves(
    _ tile: WinogradTile, kernel: UnsafePointer<Float16>, outputs: Int, inputs: Int, kernels: KernelSet,
    into packed: UnsafeMutablePointer<Float16>
) {
    let lanes = kernels.lanes
    let outputBlocks = (outputs + lanes - 1) / lanes
    let taps = tile.taps * tile.taps
    let positionStep = outputBlocks * inputs * lanes
    let (most, mostTaps) = (2 * inputs * lanes, 2 * lanes * inputs * taps)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: mostTaps + tile.kernelPositions * most) { buffer in
        guard let widened = buffer.baseAddress else { return }
        let transformed = widened + mostTaps
        for firstBlock in stride(from: 0, to: outputBlocks, by: 2) {
            let first = firstBlock * lanes
            let pairOutputs = min(2 * lanes, outputs - first)
            let panel = min(2, outputBlocks - firstBlock) * inputs * lanes
            kernels.widenHalves(kernel + first * inputs * taps, count: pairOutputs * inputs * taps, into: widened)
            packWinogradWeights(
                tile, kernel: widened, outputs: pairOutputs, inputs: inputs, lanes: lanes, pairs: 0..<1,
                into: transformed)
            for position in 0..<tile.kernelPositions {
                kernels.narrowToHalves(
                    transformed + position * panel, count: panel,
                    into: packed + position * positionStep + firstBlock * inputs * lanes)
            }
        }
    }
}

/// The kernels of one input channel for four output channels.
private struct KernelQuad {
    private let a: UnsafePointer<Float>
    private let b: UnsafePointer<Float>
    private let c: UnsafePointer<Float>
    private let d: UnsafePointer<Float>

    typealias Lane = SIMD4<Double>

    /// The kernels at four places.
    @inline(__always) init(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>, _ d: UnsafePointer<Float>
    ) {
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
    }

    @inline(__always) private func tap(_ index: Int) -> Lane {
        Lane(Double(a[index]), Double(b[index]), Double(c[index]), Double(d[index]))
    }

    @inline(__always) private static func store(_ value: Lane, to target: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(target).storeBytes(of: SIMD4<Float>(value), as: SIMD4<Float>.self)
    }

    // MARK: Six points

    typealias Six = (Lane, Lane, Lane, Lane, Lane, Lane)

    /// G g for the `taps` first of five numbers. A row of G is `[1, p, p^2, ...] / N(p)` for the point p, where N is the
    /// product of its distances from the other points; for infinity it takes the last tap.
    @inline(__always) private static func transformed6(
        taps: Int, _ g0: Lane, _ g1: Lane, _ g2: Lane, _ g3: Lane, _ g4: Lane
    ) -> Six {
        let (inner, outer) = (0.390625, 2.25)
        let innerScale = 1 / (2 * inner * (inner - outer))
        let outerScale = 1 / (2 * outer * (outer - inner))
        var (innerEven, innerOdd) = (g0 + inner * g2, 0.625 * g1)
        var (outerEven, outerOdd) = (g0 + outer * g2, 1.5 * g1)
        if taps > 3 {
            innerOdd += (0.625 * inner) * g3
            outerOdd += (1.5 * outer) * g3
        }
        if taps > 4 {
            innerEven += (inner * inner) * g4
            outerEven += (outer * outer) * g4
        }
        return (
            (1 / (inner * outer)) * g0, innerScale * (innerEven + innerOdd), innerScale * (innerEven - innerOdd),
            outerScale * (outerEven + outerOdd), outerScale * (outerEven - outerOdd),
            taps == 3 ? g2 : taps == 4 ? g3 : g4
        )
    }

    @inline(__always) func transform6(taps: Int, into target: UnsafeMutablePointer<Float>, positionStep: Int) {
        @inline(__always) func row(_ index: Int) -> Six {
            if index >= taps { return (.zero, .zero, .zero, .zero, .zero, .zero) }
            let first = index * taps
            return KernelQuad.transformed6(
                taps: taps, tap(first), tap(first + 1), tap(first + 2), taps > 3 ? tap(first + 3) : .zero,
                taps > 4 ? tap(first + 4) : .zero)
        }
        let (r0, r1, r2, r3, r4) = (row(0), row(1), row(2), row(3), row(4))
        @inline(__always) func column(_ index: Int, _ g0: Lane, _ g1: Lane, _ g2: Lane, _ g3: Lane, _ g4: Lane) {
            let y = KernelQuad.transformed6(taps: taps, g0, g1, g2, g3, g4)
            KernelQuad.store(y.0, to: target + index * positionStep)
            KernelQuad.store(y.1, to: target + (6 + index) * positionStep)
            KernelQuad.store(y.2, to: target + (12 + index) * positionStep)
            KernelQuad.store(y.3, to: target + (18 + index) * positionStep)
            KernelQuad.store(y.4, to: target + (24 + index) * positionStep)
            KernelQuad.store(y.5, to: target + (30 + index) * positionStep)
        }
        column(0, r0.0, r1.0, r2.0, r3.0, r4.0)
        column(1, r0.1, r1.1, r2.1, r3.1, r4.1)
        column(2, r0.2, r1.2, r2.2, r3.2, r4.2)
        column(3, r0.3, r1.3, r2.3, r3.3, r4.3)
        column(4, r0.4, r1.4, r2.4, r3.4, r4.4)
        column(5, r0.5, r1.5, r2.5, r3.5, r4.5)
    }

    // MARK: A stride of 2

    /// G g for three numbers: the tap of the odd pixels, then the points 0, 1 and infinity of those of the even ones.
    @inline(__always) private static func transformedStrided(
        _ g0: Lane, _ g1: Lane, _ g2: Lane
    ) -> (Lane, Lane, Lane, Lane) {
        (g1, g0, g0 + g2, g2)
    }

    @inline(__always) func transformStrided(into target: UnsafeMutablePointer<Float>, positionStep: Int) {
        transformThree(into: target, positionStep: positionStep, KernelQuad.transformedStrided)
    }

    // MARK: Four points

    /// G g for three numbers.
    @inline(__always) private static func transformed4(
        _ g0: Lane, _ g1: Lane, _ g2: Lane
    ) -> (Lane, Lane, Lane, Lane) {
        let even = 0.5 * (g0 + g2)
        let odd = 0.5 * g1
        return (g0, even + odd, even - odd, g2)
    }

    @inline(__always) func transform4(into target: UnsafeMutablePointer<Float>, positionStep: Int) {
        transformThree(into: target, positionStep: positionStep, KernelQuad.transformed4)
    }

    /// G g G^T of three taps a side and four rows of G.
    @inline(__always) private func transformThree(
        into target: UnsafeMutablePointer<Float>, positionStep: Int,
        _ transformed: (Lane, Lane, Lane) -> (Lane, Lane, Lane, Lane)
    ) {
        let r0 = transformed(tap(0), tap(1), tap(2))
        let r1 = transformed(tap(3), tap(4), tap(5))
        let r2 = transformed(tap(6), tap(7), tap(8))
        @inline(__always) func column(_ index: Int, _ g0: Lane, _ g1: Lane, _ g2: Lane) {
            let y = transformed(g0, g1, g2)
            KernelQuad.store(y.0, to: target + index * positionStep)
            KernelQuad.store(y.1, to: target + (4 + index) * positionStep)
            KernelQuad.store(y.2, to: target + (8 + index) * positionStep)
            KernelQuad.store(y.3, to: target + (12 + index) * positionStep)
        }
        column(0, r0.0, r1.0, r2.0)
        column(1, r0.1, r1.1, r2.1)
        column(2, r0.2, r1.2, r2.2)
        column(3, r0.3, r1.3, r2.3)
    }
}
