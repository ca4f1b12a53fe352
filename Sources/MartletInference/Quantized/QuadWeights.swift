import MartletTensors

/// Weights of bytes in the order in which `convolveQuantizedRows` reads them, for one pair of output vectors after the other.
///
/// Where the kernels add two products in 16 bits, what two neighbouring weights have beyond their limit stands behind the weights
/// of the pair, in fours of channels that are multiplied once more. The sums are exact, and few fours of trained weights need it:
/// of ResNet-18 and GoogLeNet in 8 bits, with a scale for each output, 4 and 7 in a hundred for a vector of eight outputs.
struct QuadWeights: Sendable {
    /// The weights, int8.
    let weights: Tensor
    /// For each pair, bytes before its weights.
    let starts: [Int]
    /// For each vector, the fours of channels that are multiplied once more, counted as the kernels come to them; empty if no
    /// weights need it.
    let excess: [[Int]]

    /// Weights that need no limit.
    ///
    /// - Parameters:
    ///   - whole: `[pairs][quads][vectors]` and what the kernels read of a vector, where the last pair may be one vector.
    ///   - vectorBytes: Bytes of all quads of a vector.
    init(_ whole: [Int8], vectors: Int, vectorBytes: Int) throws {
        weights = try Tensor(whole, shape: [whole.count])
        starts = (0..<(vectors + 1) / 2).map { 2 * $0 * vectorBytes }
        excess = []
    }

    /// Weights of which two neighbours must not add up to more than `limit`, positive or negative.
    ///
    /// - Parameters:
    ///   - whole: `[pairs][quads][vectors][lanes][4]`, where the last pair may be one vector.
    init(limiting whole: [Int8], vectors: Int, lanes: Int, quads: Int, to limit: Int) throws {
        let size = 4 * lanes
        var whole = whole
        var starts: [Int] = []
        var excess: [[Int]] = []
        var bytes: [Int8] = []
        bytes.reserveCapacity(whole.count)
        for pair in 0..<(vectors + 1) / 2 {
            let width = min(2, vectors - 2 * pair)
            let first = 2 * pair * quads * size
            starts.append(bytes.count)
            var beyond: [Int8] = []
            for vector in 0..<width {
                excess.append([])
                for quad in 0..<quads {
                    let start = first + (quad * width + vector) * size
                    guard let rest = QuadWeights.limit(&whole, start..<start + size, to: limit) else { continue }
                    beyond += rest
                    excess[2 * pair + vector].append(quad)
                }
            }
            bytes += whole[first..<first + width * quads * size]
            bytes += beyond
        }
        weights = try Tensor(bytes, shape: [bytes.count])
        self.starts = starts
        self.excess = excess
    }

    /// Takes from each two neighbours what they have beyond `limit`; `nil` if that is nothing.
    private static func limit(_ weights: inout [Int8], _ range: Range<Int>, to limit: Int) -> [Int8]? {
        var rest: [Int8]?
        for index in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            let sum = Int(weights[index]) + Int(weights[index + 1])
            let beyond = sum > limit ? sum - limit : min(0, sum + limit)
            if beyond == 0 { continue }
            // Both are of its sign, and neither is beyond the limit alone: the first has that much to give.
            weights[index] -= Int8(beyond)
            if rest == nil { rest = [Int8](repeating: 0, count: range.count) }
            rest?[index - range.lowerBound] = Int8(beyond)
        }
        return rest
    }
}

/// ``QuadWeights`` as a step reads them, for an input of one size.
struct PackedQuads {
    private let weights: UnsafePointer<Int8>
    private let starts: [Int]
    /// For each vector how many fours are multiplied once more, and their offsets in bytes.
    private let excess: UnsafePointer<Int>?
    /// For each pair, numbers of `excess` before its own.
    private let excessStarts: [Int]

    /// Keeps them for as long as a plan lives.
    ///
    /// - Parameters:
    ///   - offsets: Where the kernels read.
    ///   - fours: How many fours of channels there.
    init(_ order: QuadWeights, offsets: [Int], fours: ChannelsRead, in kept: KeptConstants) throws {
        weights = kept.view(order.weights).base.assumingMemoryBound(to: Int8.self)
        starts = order.starts
        var numbers: [Int64] = []
        var excessStarts: [Int] = []
        for (vector, places) in order.excess.enumerated() {
            if vector % 2 == 0 { excessStarts.append(numbers.count) }
            numbers.append(Int64(places.count))
            numbers += places.map { place in
                let (offset, four) = fours.position(of: place, offsets: offsets.count)
                return Int64(offsets[offset] + 4 * four)
            }
        }
        self.excessStarts = excessStarts
        excess =
            order.excess.contains { !$0.isEmpty }
            ? kept.view(try Tensor(numbers, shape: [numbers.count])).base.assumingMemoryBound(to: Int.self) : nil
    }

    /// The weights of a pair of vectors.
    func weights(ofPair pair: Int) -> UnsafeRawPointer { UnsafeRawPointer(weights + starts[pair]) }

    /// What is multiplied once more for a pair of vectors; `nil` for nothing.
    func excess(ofPair pair: Int) -> UnsafePointer<Int>? { excess.map { $0 + excessStarts[pair] } }
}
