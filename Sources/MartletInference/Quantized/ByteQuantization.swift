import MartletNetworks
import MartletTensors

/// What the bytes of a value stand for: byte b is `scale (b - zeroPoint)`.
///
/// Bytes in blocks are unsigned. A value of int8 lies there with 128 added, and its zero point with it.
struct ByteQuantization: Hashable {
    var scale: Float
    /// The unsigned byte that stands for zero.
    var zeroPoint: Int
    /// Whether the value is int8 wherever it does not lie in blocks.
    var isSigned: Bool

    /// The bytes between which an activation cuts off, `nil` if it is more than a clamp.
    func bounds(_ activation: Activation?) -> ClosedRange<Int>? {
        guard let clamp = ClampBounds(activation), !clamp.minimum.isNaN, !clamp.maximum.isNaN else { return nil }
        func byte(_ value: Float, _ open: Int) -> Int {
            if value.isInfinite { return open }
            let steps = (value / scale).rounded(.toNearestOrEven)
            return Int(min(max(steps + Float(zeroPoint), 0), 255))
        }
        let (low, high) = (byte(clamp.minimum, 0), byte(clamp.maximum, 255))
        return low <= high ? low...high : nil
    }

    /// The scale and zero point of a node, where they are constants for the whole of an 8-bit value.
    init?(scale: String?, zeroPoint: String?, type: ElementType, in network: Network) {
        guard let scale, let scales = network.constants[scale] else { return nil }
        var zeros: Tensor?
        if let zeroPoint {
            guard let constant = network.constants[zeroPoint] else { return nil }
            zeros = constant
        }
        self.init(scale: scales, zeroPoint: zeros, type: type)
    }

    /// The same of the constants themselves.
    init?(scale scales: Tensor, zeroPoint zeros: Tensor?, type: ElementType) {
        guard scales.elementType == .float32, scales.shape.elementCount == 1 else { return nil }
        self.scale = scales.withElements(of: Float.self) { $0[0] }
        guard self.scale > 0, self.scale.isFinite else { return nil }
        switch type {
        case .uint8: isSigned = false
        case .int8: isSigned = true
        default: return nil
        }
        self.zeroPoint = isSigned ? 128 : 0
        if let zeros {
            guard zeros.elementType == type, zeros.shape.elementCount == 1 else { return nil }
            self.zeroPoint +=
                isSigned
                ? zeros.withElements(of: Int8.self) { Int($0[0]) } : zeros.withElements(of: UInt8.self) { Int($0[0]) }
        }
    }
}

/// How a layer on bytes rounds its result.
struct ByteRounding: Hashable {
    var quantization: ByteQuantization
    /// The bytes that the result is clamped to.
    var bounds: ClosedRange<Int>
}

/// Weights of 8 bits as a network holds them: `scales[o] (w - zeroPoint)` for output o.
struct ByteWeights: Hashable {
    /// The constant that holds them.
    var name: String
    /// One scale, or one for each output.
    var scales: [Float]
    var zeroPoint: Int
    /// Whether outputs run along the second axis of a matrix, not along the first.
    var isTransposed = false
}

/// A constant to add to the sums of a layer.
struct ByteBias: Hashable {
    /// The constant, of float32 or int32.
    var name: String
    /// What its elements count, one number or one for each output; `nil` for steps of the products.
    var scales: [Float]?
}

/// A layer that reads and writes bytes: what its node does not say.
struct QuantizedLayer: Hashable {
    var result: ByteRounding
    /// A first rounding, which the result's follows: of a sum before the residual is added to it, or of a value that is then
    /// brought to another scale.
    var first: ByteRounding?
    var weights: ByteWeights?
    var bias: ByteBias?
}

/// A matrix product that reads bytes and makes floats: what its node does not say.
struct QuantizedProduct: Hashable {
    var x: ByteQuantization
    var weights: ByteWeights
    var bias: ByteBias?
}
