import MartletTensors

/// What can be wrong with an evaluation.
public enum EvaluationError: MartletError, Equatable {
    /// An output that is no row of class scores per image.
    case outputShape(found: String)
    /// A label outside the classes of the network.
    case labelOutOfRange(label: Int, image: String, classes: Int)
    /// Two networks with different numbers of classes.
    case classCountMismatch(network: Int, reference: Int)
    /// Neither labels nor a reference: nothing to compare with.
    case nothingToCompare(data: String)
    /// Scores that are not numbers.
    case nonFinite(image: String)

    public var description: String {
        switch self {
        case .outputShape(let found): "the network's output is \(found), not one row of class scores per image"
        case .labelOutOfRange(let label, let image, let classes):
            "image \(image) has label \(label), but the network knows \(classes) classes"
        case .classCountMismatch(let network, let reference):
            "the network has \(network) classes, the reference \(reference)"
        case .nothingToCompare(let data): "\(data) has no labels"
        case .nonFinite(let image): "the network's output for image \(image) has NaN or infinite scores"
        }
    }

    public var remedy: String? {
        switch self {
        case .labelOutOfRange: "give the class map the network was trained with, with --labels"
        case .nothingToCompare: "give labels, or a network to agree with, with --reference"
        case .nonFinite: "check the preprocessing"
        case .outputShape, .classCountMismatch: nil
        }
    }
}
