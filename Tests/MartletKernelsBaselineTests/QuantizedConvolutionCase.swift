import MartletTestSupport
import Testing

@testable import MartletInference

extension QuantizedKernelSet: CustomTestStringConvertible {
    /// The kernels of every instruction set that this machine has.
    static let available = InstructionSet.allCases.filter(\.isSupported).map { QuantizedKernelSet($0) }

    public var testDescription: String { instructionSet.rawValue }
}

/// A rounding to bytes, as the kernels' settings say it.
struct Rounding {
    var zeroPoint = 3
    var bounds = 0...255
    /// The first rounding: the factor of its steps, and its bounds from its zero point.
    var first: (factor: Float, minimum: Float, maximum: Float)?
    var residualFactor: Float = 0.75
    var residualZeroPoint = 131

    var settings: [Float] {
        [
            Float(bounds.lowerBound - zeroPoint), Float(bounds.upperBound - zeroPoint),
            Float(bitPattern: UInt32(zeroPoint)), first?.factor ?? 0, first?.minimum ?? 0, first?.maximum ?? 0,
            residualFactor, Float(residualZeroPoint),
        ]
    }

    /// A byte by the definition, in double.
    func byte(_ sum: Int32, factor: Float, residual: UInt8?) -> Double {
        var value = Double(Float(sum)) * Double(factor)
        if let first {
            value = min(max(value, Double(first.minimum)), Double(first.maximum))
            value = value.rounded(.toNearestOrEven) * Double(first.factor)
        }
        if let residual { value += (Double(residual) - Double(residualZeroPoint)) * Double(residualFactor) }
        return min(max(value, Double(settings[0])), Double(settings[1])) + Double(zeroPoint)
    }

    /// Whether `byte` is `exact` rounded: halves, and what single precision cannot tell from them, go either way.
    static func agrees(_ byte: UInt8, _ exact: Double) -> Bool { abs(Double(byte) - exact) <= 0.5 + 1e-4 }
}

/// Random bytes between marks that are checked for being intact.
final class GuardedBytes {
    private static let margin = 128
    private var memory: [UInt8]
    let count: Int

    init(_ elements: [UInt8]) {
        count = elements.count
        let mark = [UInt8](repeating: 0xa5, count: Self.margin)
        memory = mark + elements + mark
    }

    var elements: [UInt8] { Array(memory[Self.margin..<Self.margin + count]) }

    var isIntact: Bool {
        (memory[..<Self.margin] + memory[(Self.margin + count)...]).allSatisfy { $0 == 0xa5 }
    }

    func with<Result>(_ body: (UnsafeMutablePointer<UInt8>) -> Result) -> Result {
        memory.withUnsafeMutableBufferPointer { body($0.baseAddress! + Self.margin) }
    }
}

extension SeededGenerator {
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }
}

/// A random call of `convolveQuantizedRows` or `depthwiseQuantizedRows`, and its result from the definition.
struct QuantizedConvolutionCase {
    var rows = 1
    var columns = 1
    var vectors = 1
    /// Channels read at each offset, in fours; `nil` for a depthwise convolution.
    var quads: Int? = 4
    /// The same of the last of several blocks, at most as many; `nil` for as many.
    var lastQuads: Int?
    var blocks = 1
    var kernel = [1, 1]
    var stride = [1, 1]
    var dilation = [1, 1]
    var residual = ResidualChoice.none
    var rounding = Rounding()
    /// Pixels between the end of an output row and the start of the next.
    var gap = 0

    func check(
        _ kernels: QuantizedKernelSet, _ generator: inout SeededGenerator, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let c = kernels.lanes
        let pixelStep = quads.map { 4 * $0 } ?? 16
        let height = (rows - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1
        let width = (columns - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1
        let rowStep = width * pixelStep
        var offsets: [Int] = []
        for block in 0..<blocks {
            for y in 0..<kernel[0] {
                for x in 0..<kernel[1] {
                    offsets.append(block * height * rowStep + y * dilation[0] * rowStep + x * dilation[1] * pixelStep)
                }
            }
        }
        let depth = quads.map { 4 * $0 } ?? 1
        let lastDepth = blocks > 1 ? lastQuads.map { 4 * $0 } ?? depth : depth
        let fours = ChannelsRead((blocks - 1) * depth + lastDepth, blockLanes: depth, unit: 4)
        /// Channels read before those of an offset.
        let firsts = offsets.indices.reduce(into: [0]) { firsts, i in
            let isLast = i / (kernel[0] * kernel[1]) == blocks - 1
            firsts.append(firsts[i] + (isLast ? lastDepth : depth))
        }
        let terms = firsts[offsets.count]
        let input = generator.bytes(blocks * height * rowStep)
        // [offset][channel][vector][lane]
        let weights = (0..<terms * vectors * c).map { _ in
            Int8.random(in: -128...127, using: &generator)
        }
        let bias = (0..<vectors * c).map { _ in Int32.random(in: -100_000...100_000, using: &generator) }
        let scale = 1 / (100 * Float(offsets.count * depth).squareRoot() * 10)
        let factors = (0..<vectors * c).map { _ in Float.random(in: 0.3...1, using: &generator) * scale }
        let outputRowStep = (columns + gap) * 16
        // Two vectors of eight lanes are one pixel.
        let outputVectorStep = c == 8 ? 8 : rows * outputRowStep + 32
        let output = GuardedBytes(generator.bytes(vectors * (rows * outputRowStep + 32)))
        let other = generator.bytes(output.count)
        let before = output.elements
        let residualBytes: [UInt8]? =
            switch residual {
            case .none: nil
            case .separate: other
            case .inPlace: before
            }

        var expected = before.map(Double.init)
        for v in 0..<vectors {
            for y in 0..<rows {
                for x in 0..<columns {
                    let base = y * stride[0] * rowStep + x * stride[1] * pixelStep
                    for o in 0..<c {
                        var sum = bias[v * c + o]
                        for (i, offset) in offsets.enumerated() {
                            for l in 0..<firsts[i + 1] - firsts[i] {
                                let weight = weights[((firsts[i] + l) * vectors + v) * c + o]
                                let channel = quads == nil ? o : l
                                sum &+= Int32(weight) * Int32(input[base + offset + channel])
                            }
                        }
                        let place = v * outputVectorStep + y * outputRowStep + x * 16 + o
                        expected[place] = rounding.byte(
                            sum, factor: factors[v * c + o], residual: residualBytes?[place])
                    }
                }
            }
        }

        let kept = KeptConstants()
        defer { withExtendedLifetime(kept) {} }
        let packed = try quads.map { _ in
            let order = try QuadWeights(weights, vectors: vectors, quads: terms / 4, for: kernels)
            return try PackedQuads(order, offsets: offsets, fours: fours, in: kept)
        }
        output.with { out in
            let start: UnsafePointer<UInt8>? = residual == .inPlace ? UnsafePointer(out) : nil
            other.withUnsafeBufferPointer { separate in
                let addend = residual == .separate ? separate.baseAddress : start
                if let packed {
                    kernels.convolveQuantizedRows(
                        input: input, inputRowStep: stride[0] * rowStep, inputColumnStep: stride[1] * pixelStep,
                        offsets: offsets, offsetCount: offsets.count, channels: fours,
                        weights: packed.weights(ofPair: 0), vectors: vectors, excess: packed.excess(ofPair: 0),
                        bias: bias, factors: factors, settings: rounding.settings, residual: addend,
                        residualRowStep: outputRowStep, residualVectorStep: outputVectorStep, output: out,
                        outputRowStep: outputRowStep, outputVectorStep: outputVectorStep, rows: rows, columns: columns)
                } else {
                    kernels.depthwiseQuantizedRows(
                        input: input, inputRowStep: stride[0] * rowStep, inputColumnStep: stride[1] * pixelStep,
                        offsets: offsets, offsetCount: offsets.count, weights: weights.map(Int32.init), bias: bias,
                        factors: factors, settings: rounding.settings, residual: addend,
                        residualRowStep: outputRowStep, output: out, outputRowStep: outputRowStep, rows: rows,
                        columns: columns)
                }
            }
        }
        let agree = zip(output.elements, expected).allSatisfy { Rounding.agrees($0, $1) }
        #expect(agree, "\(self)", sourceLocation: location)
        #expect(output.isIntact, "\(self)", sourceLocation: location)
    }
}

extension QuadWeights {
    /// The weights of one or two vectors as the kernels read them: channels in fours beside each other, or in two pairs of 16 bits.
    ///
    /// - Parameter weights: `[quads][4][vectors][lanes]`.
    init(_ weights: [Int8], vectors: Int, quads: Int, for kernels: QuantizedKernelSet) throws {
        let c = kernels.lanes
        var result: [Int8] = []
        for quad in 0..<quads {
            for v in 0..<vectors {
                func weight(_ o: Int, _ k: Int) -> Int8 { weights[((quad * 4 + k) * vectors + v) * c + o] }
                if kernels.weightBytes == 1 {
                    for o in 0..<c { for k in 0..<4 { result.append(weight(o, k)) } }
                    continue
                }
                for half in 0..<2 {
                    for o in 0..<c {
                        for k in [half, half + 2] {
                            result.append(weight(o, k))
                            result.append(weight(o, k) < 0 ? -1 : 0)
                        }
                    }
                }
            }
        }
        if kernels.pairLimit < .max {
            try self.init(limiting: result, vectors: vectors, lanes: c, quads: quads, to: kernels.pairLimit)
        } else {
            try self.init(result, vectors: vectors, vectorBytes: result.count / vectors)
        }
    }
}
