import MartletImages
import MartletNetworks
import MartletONNXFormat
import MartletTensors

/// A network read from a file, simplified, and how its file says images are to be prepared.
public struct Model: Sendable {
    /// The network, as ``Network/simplified(keepingHalfWeights:)`` leaves it.
    public var network: Network
    /// What to call it in messages.
    public var path: String

    /// The metadata property that holds the preprocessing as JSON.
    public static let preprocessingKey = "martlet.preprocessing"
    /// The metadata property that says how a compressed network was made, as JSON.
    public static let recipeKey = "martlet.recipe"

    /// Reads an ONNX file.
    /// - Parameters:
    ///   - path: The file.
    ///   - onlyRuns: Whether the network is run and nothing else: weights that the file has in half precision then stay in
    ///     it, and take half the memory.
    /// - Throws: ``ONNXError``, ``NetworkError``, ``FileError``.
    public init(path: String, onlyRuns: Bool = false) throws {
        self.path = path
        network = try ONNXReader.read(path: path).simplified(keepingHalfWeights: onlyRuns)
    }

    /// The preprocessing to use: what the options say, else what the file says.
    /// - Throws: ``PreprocessingError`` if neither says anything: it is never guessed.
    public func preprocessing(_ options: PreprocessingOptions) throws -> Preprocessing {
        try options.resolve(metadata: network[metadata: Model.preprocessingKey], network: path)
    }

    /// The extents `[C, H, W]` of one image as the network takes it, `nil` for one that is free.
    /// - Throws: ``NetworkError`` if it does not take images.
    public var imageExtents: [Int?] {
        get throws {
            guard network.inputs.count == 1, let input = network.inputs.first, input.type.rank == 4,
                input.type.elementType == .float32
            else {
                throw NetworkError.unsupported(
                    node: network.name,
                    reason: "its inputs (\(network.inputs.map { "'\($0.name)' \($0.type)" }.joined(separator: ", "))) "
                        + "are not one batch of images")
            }
            return input.type.dimensions[1...].map(\.value)
        }
    }

    /// The largest batch up to `wish` that the network takes: all of them, unless its file fixes the batch.
    /// - Throws: ``NetworkError`` if it does not take images.
    public func batchSize(upTo wish: Int) throws -> Int {
        _ = try imageExtents
        return network.inputs[0].type.dimensions[0].value ?? wish
    }
}
