/// What a sliding window computes, by loops in double precision, for one to three spatial axes.
public struct WindowOracle: CustomStringConvertible {
    public var input: [Int]
    public var kernel: [Int]
    public var strides: [Int]
    public var dilations: [Int]
    public var before: [Int]
    public var after: [Int]
    public var output: [Int]

    /// A window; `output` is how often it fits.
    public init(
        input: [Int], kernel: [Int], strides: [Int], dilations: [Int], before: [Int], after: [Int], output: [Int]
    ) {
        self.input = input
        self.kernel = kernel
        self.strides = strides
        self.dilations = dilations
        self.before = before
        self.after = after
        self.output = output
    }

    public var inputCount: Int { input.reduce(1, *) }
    public var outputCount: Int { output.reduce(1, *) }
    public var tapCount: Int { kernel.reduce(1, *) }
    public var description: String {
        "\(input) kernel \(kernel) strides \(strides) dilations \(dilations) padding \(before) \(after) to \(output)"
    }

    /// A random window that fits at least once along each axis. `ceils` lets a last window hang over.
    public static func random(axes: Int, ceils: Bool = false, using generator: inout SeededGenerator) -> WindowOracle {
        var result = WindowOracle(
            input: [], kernel: [], strides: [], dilations: [], before: [], after: [], output: [])
        for _ in 0..<axes {
            let kernel = generator.integer(1...4)
            let stride = generator.integer(1...3)
            let dilation = generator.integer(1...3)
            let (before, after) = (generator.integer(0...(kernel - 1)), generator.integer(0...(kernel - 1)))
            let span = (kernel - 1) * dilation + 1
            let input = generator.integer(max(1, span - before - after)...(span + 7))
            let room = input + before + after - span
            var output = room / stride + 1
            if ceils, room % stride != 0, output * stride < input + before { output += 1 }
            result.input.append(input)
            result.kernel.append(kernel)
            result.strides.append(stride)
            result.dilations.append(dilation)
            result.before.append(before)
            result.after.append(after)
            result.output.append(output)
        }
        return result
    }

    /// Every position of an array with these extents, in order.
    private static func positions(_ extents: [Int]) -> [[Int]] {
        extents.reduce([[]]) { heads, extent in heads.flatMap { head in (0..<extent).map { head + [$0] } } }
    }

    private static func offset(_ position: [Int], _ extents: [Int]) -> Int {
        zip(position, extents).reduce(0) { $0 * $1.1 + $1.0 }
    }

    /// For each window, in order, what each tap sees: an offset in the input, -1 in the border, -2 past the border.
    public func taps() -> [[Int]] {
        let taps = WindowOracle.positions(kernel)
        return WindowOracle.positions(output).map { window in
            taps.map { tap in
                let position = window.indices.map { window[$0] * strides[$0] + tap[$0] * dilations[$0] - before[$0] }
                if position.indices.contains(where: { position[$0] >= input[$0] + after[$0] }) { return -2 }
                if position.indices.contains(where: { position[$0] < 0 || position[$0] >= input[$0] }) { return -1 }
                return WindowOracle.offset(position, input)
            }
        }
    }

    /// `[images, outputs, output...]` from `x` `[images, channels, input...]` and `weight`
    /// `[outputs, channels / groups, kernel...]`.
    public func convolution(
        _ x: [Float], images: Int, channels: Int, weight: [Float], outputs: Int, groups: Int = 1, bias: [Float]? = nil
    ) -> [Double] {
        let taps = taps()
        let (channelsInGroup, outputsInGroup) = (channels / groups, outputs / groups)
        var result: [Double] = []
        for image in 0..<images {
            for t in 0..<outputs {
                for window in taps {
                    var sum = bias.map { Double($0[t]) } ?? 0
                    for s in 0..<channelsInGroup {
                        let plane = (image * channels + t / outputsInGroup * channelsInGroup + s) * inputCount
                        for (tap, offset) in window.enumerated() where offset >= 0 {
                            sum +=
                                Double(x[plane + offset]) * Double(weight[(t * channelsInGroup + s) * tapCount + tap])
                        }
                    }
                    result.append(sum)
                }
            }
        }
        return result
    }

    /// The maximum of each window over `planes` channels.
    public func maxPool(_ x: [Float], planes: Int) -> [Double] {
        let taps = taps()
        return (0..<planes).flatMap { plane in
            taps.map { $0.filter { $0 >= 0 }.map { Double(x[plane * inputCount + $0]) }.max() ?? -.infinity }
        }
    }

    /// The mean of each window over `planes` channels; the border counts as zeros with `countsPadding`.
    public func averagePool(_ x: [Float], planes: Int, countsPadding: Bool) -> [Double] {
        let taps = taps()
        return (0..<planes).flatMap { plane in
            taps.map { window in
                let sum = window.filter { $0 >= 0 }.map { Double(x[plane * inputCount + $0]) }.reduce(0, +)
                let count = window.filter { $0 >= (countsPadding ? -1 : 0) }.count
                return sum / Double(max(count, 1))
            }
        }
    }
}
