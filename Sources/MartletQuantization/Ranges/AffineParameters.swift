import MartletNetworks

/// How an interval of real numbers becomes the integers 0 to 255: `x = (q - zeroPoint) scale`.
public struct AffineParameters: Hashable, Sendable {
    /// The distance between neighbours.
    public let scale: Float
    /// The integer that stands for zero.
    public let zeroPoint: UInt8

    /// The parameters for numbers from `minimum` to `maximum`, an interval that is widened to hold zero: padding is made of it.
    public init(minimum: Float, maximum: Float) {
        let (low, high) = (min(0, minimum), max(0, maximum))
        let step = (high - low) / 255
        // Nothing but zeros, or numbers whose steps would be denormal.
        scale = step.isNormal ? step : 1
        zeroPoint = Quantizer<UInt8>(scale: scale, zeroPoint: 0).quantized(-low)
    }

    /// The numbers as they come back from quantization.
    func requantize(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int) {
        let (lowest, highest) = (-Float(zeroPoint), 255 - Float(zeroPoint))
        // Adding and taking off 1.5 x 2^23 rounds to nearest, ties to even, what is smaller than 2^22.
        let magic: Float = 12_582_912
        for i in 0..<count {
            let steps = min(max(source[i] / scale, lowest), highest)
            target[i] = (steps + magic - magic) * scale
        }
    }

    /// A number as it comes back from quantization.
    func requantized(_ value: Double) -> Double {
        let steps = (value / Double(scale)).rounded(.toNearestOrEven)
        return min(max(steps, -Double(zeroPoint)), 255 - Double(zeroPoint)) * Double(scale)
    }
}
