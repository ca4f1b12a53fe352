import MartletTensors

/// What can be wrong with a quantization.
public enum QuantizationError: MartletError, Equatable {
    /// A network that has other than one input.
    case inputs(count: Int)
    /// Nothing to calibrate on.
    case noImages
    /// A network without a layer that can be quantized.
    case nothingToQuantize(network: String)
    /// A network that is quantized already.
    case alreadyQuantized(network: String)
    /// Numbers in a network that are infinite, or none.
    case notFinite(value: String)
    /// A constant with a number beyond 65,504, the largest in half precision.
    case beyondHalfPrecision(constant: String)
    /// A drop that even the network without quantized layers exceeds.
    case dropOutOfReach(points: Double)

    public var description: String {
        switch self {
        case .inputs(let count): "a network with \(count) inputs cannot be calibrated on images"
        case .noImages: "there are no images to calibrate on"
        case .nothingToQuantize(let network): "'\(network)' has no convolution or fully connected layer to quantize"
        case .alreadyQuantized(let network): "'\(network)' is quantized already"
        case .notFinite(let value): "the value '\(value)' has no finite number on any calibration image"
        case .beyondHalfPrecision(let constant): "the constant '\(constant)' holds a number beyond 65504"
        case .dropOutOfReach(let points): "no choice of layers keeps the drop within \(points) points"
        }
    }

    public var remedy: String? {
        switch self {
        case .noImages: "give a folder, list or file of images with --images"
        case .alreadyQuantized: "quantize the network it was made from"
        case .beyondHalfPrecision: "leave activations in single precision: then only this constant stays as it is"
        case .notFinite: "check the preprocessing"
        default: nil
        }
    }
}
