import MartletTensors

/// The least, the largest and the mean square of each channel of a value `[images, channels, ...]`.
struct ChannelStatistics {
    private(set) var minimum: [Float]
    private(set) var maximum: [Float]
    private var squares: [Double]
    private var sums: [Double]
    private var count = 0

    init(channels: Int) {
        minimum = [Float](repeating: 0, count: channels)
        maximum = [Float](repeating: 0, count: channels)
        squares = [Double](repeating: 0, count: channels)
        sums = [Double](repeating: 0, count: channels)
    }

    /// The mean square of each channel; 1 before anything was seen.
    var meanSquares: [Double] { count == 0 ? squares.map { _ in 1 } : squares.map { $0 / Double(count) } }

    /// The mean of each channel.
    var means: [Double] { sums.map { $0 / Double(max(count, 1)) } }

    mutating func add(_ view: TensorView) {
        let channels = minimum.count
        guard view.shape.rank >= 2, view.shape[1] == channels, channels > 0 else { return }
        let size = view.shape.extents[2...].reduce(1, *)
        let source = view.elements(of: Float.self)
        for image in 0..<view.shape[0] {
            for channel in 0..<channels {
                let start = (image * channels + channel) * size
                var (low, high, sum, square) = (minimum[channel], maximum[channel], Float(0), Float(0))
                for i in start..<start + size {
                    let value = source[i]
                    low = min(low, value)
                    high = max(high, value)
                    sum += value
                    square += value * value
                }
                minimum[channel] = low
                maximum[channel] = high
                sums[channel] += Double(sum)
                squares[channel] += Double(square)
            }
        }
        count += view.shape[0] * size
    }
}
