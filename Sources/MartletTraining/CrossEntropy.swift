import MartletKernelsBaseline
import MartletTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What an answer should have been.
public enum Target: Sendable {
    /// A class.
    case label(Int)
    /// A probability for each class.
    case probabilities([Float])
}

/// The cross-entropy of softmax of a network's outputs, `-sum p log softmax(y)`, averaged over a batch.
public struct CrossEntropy: Sendable {
    /// The part of each label's probability that is spread evenly over all classes, 0 to 1 (Szegedy et al., 2016).
    public var smoothing: Float

    /// The loss; labels are taken as they are unless told.
    public init(smoothing: Float = 0) { self.smoothing = smoothing }

    /// The mean loss of a batch, its gradient, and how many answers are right.
    /// - Parameters:
    ///   - outputs: `[N, classes]`, before softmax; further axes of extent 1 do no harm.
    ///   - targets: One for each row.
    ///   - gradient: Of the mean loss by the outputs, in their shape.
    /// - Throws: ``TrainingError`` for a label or a number of classes that does not fit.
    public func evaluate(
        _ outputs: TensorView, targets: [Target], gradient: MutableTensorView
    ) throws -> (loss: Double, correct: Int) {
        guard outputs.shape.rank >= 2, outputs.shape[0] == targets.count, !targets.isEmpty else {
            throw TrainingError.outputsWithoutClasses(shape: outputs.shape.extents)
        }
        let classes = outputs.shape.elementCount / targets.count
        let (y, g) = (outputs.elements(of: Float.self), gradient.elements(of: Float.self))
        guard let y = y.baseAddress, let g = g.baseAddress else {
            throw TrainingError.outputsWithoutClasses(shape: outputs.shape.extents)
        }
        var loss = 0.0
        var correct = 0
        let share = 1 / Float(targets.count)
        for (row, target) in targets.enumerated() {
            let (y, g) = (y + row * classes, g + row * classes)
            softmax(y, into: g, count: classes, stride: 1, isLogarithmic: true)
            let best = (0..<classes).reduce(0) { y[$1] > y[$0] ? $1 : $0 }
            switch target {
            case .label(let label):
                guard (0..<classes).contains(label) else {
                    throw TrainingError.labelOutOfRange(label: label, classes: classes)
                }
                if best == label { correct += 1 }
                let even = smoothing / Float(classes)
                for index in 0..<classes {
                    let wanted = even + (index == label ? 1 - smoothing : 0)
                    if wanted != 0 { loss -= Double(wanted) * Double(g[index]) }
                    g[index] = share * (expf(g[index]) - wanted)
                }
            case .probabilities(let wanted):
                guard wanted.count == classes else {
                    throw TrainingError.otherClasses(expected: classes, found: wanted.count)
                }
                if best == (0..<classes).reduce(0, { wanted[$1] > wanted[$0] ? $1 : $0 }) { correct += 1 }
                let total = wanted.reduce(0, +)
                for index in 0..<classes {
                    if wanted[index] != 0 { loss -= Double(wanted[index]) * Double(g[index]) }
                    g[index] = share * (total * expf(g[index]) - wanted[index])
                }
            }
        }
        return (loss / Double(targets.count), correct)
    }
}
