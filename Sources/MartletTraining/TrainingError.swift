import MartletTensors

/// What can go wrong in learning.
public enum TrainingError: MartletError, Equatable {
    /// Outputs that are not one row of classes for each image.
    case outputsWithoutClasses(shape: [Int])
    /// A label that the network has no class for.
    case labelOutOfRange(label: Int, classes: Int)
    /// An image without a label where labels are differentiated by.
    case missingLabel(image: Int)
    /// Probabilities for another number of classes.
    case otherClasses(expected: Int, found: Int)

    public var description: String {
        switch self {
        case .outputsWithoutClasses(let shape):
            "the network puts out \(shape), not a score for each class of each image"
        case .labelOutOfRange(let label, let classes):
            "the label \(label) is none of the network's \(classes) classes, 0 to \(classes - 1)"
        case .missingLabel(let image):
            "image \(image) has no label"
        case .otherClasses(let expected, let found):
            "the teacher knows \(found) classes, the network \(expected)"
        }
    }
}
