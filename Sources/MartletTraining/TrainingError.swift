import MartletTensors

/// What can go wrong in learning.
public enum TrainingError: MartletError, Equatable {
    /// Outputs that are not one row of classes for each image.
    case outputsWithoutClasses(shape: [Int])
    /// A label that the network has no class for.
    case labelOutOfRange(label: Int, classes: Int)
    /// Probabilities for another number of classes.
    case otherClasses(expected: Int, found: Int)
    /// Images without labels, and nobody to ask.
    case noLabels(data: String)
    /// An image without a label among others.
    case noLabel(image: String)
    /// A teacher none of whose layers the network has.
    case noLayersInCommon(teacher: String)
    /// Layers to be learned, and nobody to learn them from.
    case noTeacher
    /// No images, no passes or no learning rates.
    case nothingToDo
    /// Several learning rates, and nothing to tell them apart by.
    case nothingHeldBack
    /// A loss that is not a number, whatever the learning rate.
    case diverged
    /// A checkpoint of another network, other images or other options.
    case otherCheckpoint(path: String)

    public var description: String {
        switch self {
        case .outputsWithoutClasses(let shape):
            "the network puts out \(shape), not a score for each class of each image"
        case .labelOutOfRange(let label, let classes):
            "the label \(label) is none of the network's \(classes) classes, 0 to \(classes - 1)"
        case .otherClasses(let expected, let found):
            "the teacher knows \(found) classes, the network \(expected)"
        case .noLabels(let data): "the images of \(data) have no labels to learn"
        case .noLabel(let image): "\(image) has no label"
        case .noLayersInCommon(let teacher):
            "no layer's result has the same name and shape in the network and in its teacher '\(teacher)'"
        case .noTeacher: "the results of layers are learned from another network, and none is given"
        case .nothingToDo: "there is not one step to train: too few images, or no passes, or no learning rate"
        case .nothingHeldBack: "several learning rates, and no images held back to choose by"
        case .diverged: "the loss grew beyond all numbers"
        case .otherCheckpoint(let path): "\(path) is no checkpoint of this training"
        }
    }

    public var remedy: String? {
        switch self {
        case .noLabels: "give class folders, a list with labels, or a network to learn from (--teacher)"
        case .noLayersInCommon:
            "give the network that this one was compressed from, or learn its answers (--learn answers)"
        case .noTeacher: "give the original network (--teacher)"
        case .nothingHeldBack: "hold some back (--hold-back), or give one learning rate"
        case .diverged: "try lower learning rates (--learning-rates)"
        case .otherCheckpoint: "resume with the same network, images and options, or start anew without --resume"
        case .outputsWithoutClasses, .labelOutOfRange, .otherClasses, .noLabel, .nothingToDo: nil
        }
    }
}
