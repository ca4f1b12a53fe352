import MartletTensors

/// What can be wrong with a decomposition that is asked for.
public enum DecompositionError: MartletError, Equatable {
    /// A kernel without outputs, inputs or taps.
    case emptyKernel(shape: [Int])
    /// Elements that do not fill the kernel.
    case elementCountMismatch(shape: [Int], count: Int)
    /// A NaN or an infinity; `subject` says in what.
    case nonFinite(subject: String)
    /// A second moment of another dimension than the kernel's patches.
    case dimensionMismatch(patch: Int, secondMoment: Int)
    /// A second moment that is not a symmetric square matrix with a diagonal of squares.
    case notASecondMoment(rows: Int, columns: Int)
    /// A moment of gradients of another dimension than the kernel's outputs.
    case outputMismatch(outputs: Int, moment: Int)
    /// Too few or too many ranks.
    case rankCount(expected: Int, found: Int)
    /// A rank below one or above what the mode allows.
    case rankOutOfRange(mode: String, rank: Int, maximum: Int)
    /// A method was not told what it needs to know about a layer.
    case missingMeasurement(method: String, what: String)
    /// An option outside its range.
    case optionOutOfRange(option: String, value: Double, range: String)

    public var description: String {
        switch self {
        case .emptyKernel(let shape):
            "a kernel of shape \(shape) has nothing to decompose"
        case .elementCountMismatch(let shape, let count):
            "\(count) elements do not fill a kernel of shape \(shape)"
        case .nonFinite(let subject):
            "an element of \(subject) is NaN or infinite"
        case .dimensionMismatch(let patch, let secondMoment):
            "the second moment has dimension \(secondMoment), the kernel acts on patches of \(patch)"
        case .notASecondMoment(let rows, let columns):
            "the matrix of \(rows) x \(columns) is no second moment: it must be square, symmetric, and its diagonal not "
                + "negative"
        case .outputMismatch(let outputs, let moment):
            "the moment of the gradients has dimension \(moment), the kernel has \(outputs) outputs"
        case .rankCount(let expected, let found):
            "\(found) ranks are given, and the form has \(expected)"
        case .rankOutOfRange(let mode, let rank, let maximum):
            "the \(mode == "rank" ? "rank" : mode + " rank") \(rank) is not in 1 ... \(maximum)"
        case .missingMeasurement(let method, let what):
            "the method \(method) needs to know \(what)"
        case .optionOutOfRange(let option, let value, let range):
            "\(option) is \(value), and must be in \(range)"
        }
    }

    public var remedy: String? {
        switch self {
        case .dimensionMismatch, .outputMismatch:
            "Gather the statistics from the network that is to be compressed, before anything in it is changed."
        case .nonFinite:
            "Look for overflow in the network's activations or for a damaged file."
        default:
            nil
        }
    }
}
