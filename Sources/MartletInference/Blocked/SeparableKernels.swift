import MartletNetworks
import MartletTensors

/// Depthwise kernels of 3x3 taps that are all of rank one: a column times a row, as those of a CP decomposition are.
struct SeparableKernels {
    /// Three weights of the column, then three of the row.
    static let weightsOfChannel = 6

    let channels: Int
    private let weights: [Float]

    /// The columns and rows of `kernels`, `[channels, 1, 3, 3]`; `nil` if one is of higher rank or the window moves or spreads
    /// otherwise than pixel by pixel.
    init?(_ kernels: Tensor, _ window: Window) {
        guard window.kernel == [3, 3], window.strides == [1, 1], window.dilations == [1, 1] else { return nil }
        channels = kernels.shape[0]
        var weights: [Float] = []
        weights.reserveCapacity(channels * SeparableKernels.weightsOfChannel)
        let areSeparable = kernels.withElements(of: Float.self) { elements in
            (0..<kernels.shape[0]).allSatisfy { channel in
                guard let factors = SeparableKernels.factors(Array(elements[channel * 9..<(channel + 1) * 9])) else {
                    return false
                }
                weights += factors
                return true
            }
        }
        if !areSeparable { return nil }
        self.weights = weights
    }

    /// The weights of a channel, column first.
    func weights(of channel: Int) -> ArraySlice<Float> {
        weights[channel * SeparableKernels.weightsOfChannel..<(channel + 1) * SeparableKernels.weightsOfChannel]
    }

    /// The column through the largest element and the row through it, over that element: their product is the kernel where it
    /// is of rank one. What single precision rounds off a product is allowed for, nothing more.
    private static func factors(_ kernel: [Float]) -> [Float]? {
        guard let largest = kernel.indices.max(by: { kernel[$0].magnitude < kernel[$1].magnitude }) else { return nil }
        let pivot = kernel[largest]
        if pivot == 0 { return [Float](repeating: 0, count: weightsOfChannel) }
        let (pivotRow, pivotColumn) = largest.quotientAndRemainder(dividingBy: 3)
        let column = (0..<3).map { kernel[3 * $0 + pivotColumn] }
        let row = (0..<3).map { kernel[3 * pivotRow + $0] / pivot }
        let isProduct = kernel.indices.allSatisfy { tap in
            (column[tap / 3] * row[tap % 3] - kernel[tap]).magnitude <= 0x1p-22 * pivot.magnitude
        }
        return isProduct ? column + row : nil
    }
}
