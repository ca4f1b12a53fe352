import MartletNetworks
import MartletTensors

/// A factor of an integer product: numbers of 8 bits, less their zero points.
struct IntegerOperand {
    let view: TensorView
    /// One zero point, or several that take turns; zero if there is none.
    let zeroPoint: TensorView?
    /// How many elements share a zero point before the next one's turn comes.
    let runLength: Int

    /// Bytes of the widened numbers.
    var scratchBytes: Int { view.shape.elementCount * MemoryLayout<Int16>.stride }

    /// Writes the differences, which need nine bits.
    func widen(into target: UnsafeMutablePointer<Int16>) {
        let zeroPoints = zeroPoint?.smallIntegers ?? [0]
        func widen<Element: TensorElement & FixedWidthInteger>(_: Element.Type) {
            let source = view.elements(of: Element.self)
            var start = 0
            var turn = 0
            while start < source.count {
                let end = min(source.count, start + runLength)
                let zero = Int16(truncatingIfNeeded: zeroPoints[turn])
                for i in start..<end { target[i] = Int16(truncatingIfNeeded: source[i]) &- zero }
                start = end
                turn = turn + 1 == zeroPoints.count ? 0 : turn + 1
            }
        }
        if view.elementType == .int8 { widen(Int8.self) } else { widen(UInt8.self) }
    }
}

/// What becomes of the int32 sums of an integer product.
enum IntegerResult {
    /// They are the result.
    case sums(MutableTensorView)
    /// They are brought to the result's scale and rounded to 8 bits.
    case requantized(Requantization)

    /// Stores a run of sums at an offset of the result. `channel` is the index of the weight's scale for the first of
    /// them, `channelStep` what the next ones add to it.
    func store(_ sums: UnsafePointer<Int32>, count: Int, at offset: Int, channel: Int, channelStep: Int) {
        switch self {
        case .sums(let y):
            (y.base.assumingMemoryBound(to: Int32.self) + offset).update(from: sums, count: count)
        case .requantized(let requantization):
            requantization.store(sums, count: count, at: offset, channel: channel, channelStep: channelStep)
        }
    }
}

/// From int32 sums to 8 bits: times `xScale weightScale / yScale`, rounded, plus the zero point.
struct Requantization {
    let y: MutableTensorView
    let xScale, weightScale, yScale, zeroPoint: TensorView

    func store(_ sums: UnsafePointer<Int32>, count: Int, at offset: Int, channel: Int, channelStep: Int) {
        let scales = weightScale.elements(of: Float.self)
        let (x, y) = (xScale.elements(of: Float.self)[0], yScale.elements(of: Float.self)[0])
        let zero = Int64(zeroPoint.smallIntegers[0])
        func store<Element: TensorElement & FixedWidthInteger>(_: Element.Type) {
            let target = self.y.base.assumingMemoryBound(to: Element.self) + offset
            let quantizer = Quantizer<Element>(scale: 1, zeroPoint: zero)
            for i in 0..<count {
                let scale = scales.count == 1 ? scales[0] : scales[channel + i * channelStep]
                target[i] = quantizer.rounded(steps: Float(sums[i]) * (x * scale / y))
            }
        }
        if self.y.elementType == .int8 { store(Int8.self) } else { store(UInt8.self) }
    }
}

extension TensorView {
    /// The elements of a view of 8-bit integers.
    var smallIntegers: [Int32] {
        elementType == .int8 ? elements(of: Int8.self).map { Int32($0) } : elements(of: UInt8.self).map { Int32($0) }
    }
}
