import Foundation
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Algorithms of convolutions that were found by measuring, in place of what a cost model reckons.
///
/// A choice belongs to the extents of a convolution, not to a network or to a number of threads: results stay the same
/// to the bit for any threads and any batch. They differ, by rounding, from those of other choices.
public struct Tuning: Codable, Equatable, Sendable {
    /// The processor it was measured on; empty where the system does not tell.
    public var processor: String
    /// The instruction set of the kernels: ``InstructionSet``.
    public var instructionSet: String
    /// Tells the convolutions of one network from those of another: a hash of their extents.
    public var convolutions: String
    /// The choices, ordered by their extents.
    public var choices: [Choice]

    /// The algorithm of a convolution.
    public struct Choice: Codable, Equatable, Sendable {
        /// What is computed.
        public var problem: Problem
        /// `direct`, `Winograd F(4,3)`.
        public var algorithm: String
        /// The tenth percentile of the time of all its layers in milliseconds, by algorithm.
        public var milliseconds: [String: Double]
    }

    /// A convolution of one image, by its extents.
    public struct Problem: Codable, Hashable, Sendable {
        /// Height and width of the kernel.
        public var kernel: [Int]
        /// Down and across.
        public var strides: [Int]
        /// Channels of the input.
        public var inputs: Int
        /// Channels of the output, its height and its width.
        public var output: [Int]

        init(_ convolution: Convolution, input: [Int], output: [Int]) {
            kernel = convolution.window.kernel
            strides = convolution.window.strides
            inputs = input[1]
            self.output = Array(output[1...])
        }
    }

    /// What this process runs on.
    public static var currentProcessor: String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        guard let line = lines.first(where: { $0.hasPrefix("model name") }) else { return "" }
        return line.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces) ?? ""
    }

    /// Whether it was measured on this processor, for these kernels, on a network of these convolutions.
    public func isValid(for network: Network, on inputs: [String: Tensor], set: InstructionSet) throws -> Bool {
        try processor == Tuning.currentProcessor && instructionSet == set.rawValue
            && convolutions == Tuning.digest(of: network, on: inputs)
    }

    /// A hash of the extents of a network's convolutions.
    static func digest(of network: Network, on inputs: [String: Tensor]) throws -> String {
        let typed = try network.specialized(to: inputs.mapValues(\.shape), values: inputs)
        var digest = FNV1a()
        for node in typed.network.nodes {
            guard let problem = Problem.of(node, typed.types) else { continue }
            for number in problem.order { digest.add(number) }
        }
        return String(digest.value, radix: 16)
    }

    var algorithms: [Problem: ConvolutionAlgorithm] {
        Dictionary(
            choices.compactMap { choice in ConvolutionAlgorithm(title: choice.algorithm).map { (choice.problem, $0) } },
            uniquingKeysWith: { first, _ in first })
    }
}

extension Tuning {
    /// Measures the algorithms of the convolutions of `network` on one input: the whole network runs with each of them
    /// wherever it can be used, so that a layer finds the caches as it will find them later.
    ///
    /// - Parameters:
    ///   - network: A network of images.
    ///   - inputs: One tensor for each input of the network, by name.
    ///   - pool: The threads that share the work.
    ///   - seconds: How long to measure each algorithm, in two turns.
    ///   - options: How else the network is run.
    ///   - progress: Told how many of how many measurements are done; what it throws ends the work.
    /// - Throws: ``NetworkError``.
    public init(
        measuring network: Network, on inputs: [String: Tensor], pool: ThreadPool, seconds: Double,
        options: Executor.Options = Executor.Options(),
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws {
        let set = try options.instructionSet ?? InstructionSet.chosen()
        processor = Tuning.currentProcessor
        instructionSet = set.rawValue
        convolutions = try Tuning.digest(of: network, on: inputs)
        let candidates = ConvolutionAlgorithm.all
        let turns = 2
        var times: [Problem: [ConvolutionAlgorithm: Double]] = [:]
        for step in 0..<turns * candidates.count {
            try progress(step, turns * candidates.count)
            var options = options
            options.tuning = nil
            options.prefers = candidates[step % candidates.count]
            let executor = try Executor(network: network, pool: pool, options: options)
            for (problem, used, time) in try executor.convolutionTimes(inputs, seconds: seconds / Double(turns)) {
                times[problem, default: [:]][used] = min(time, times[problem]?[used] ?? .infinity)
            }
        }
        try progress(turns * candidates.count, turns * candidates.count)
        choices = times.filter { $0.value.count > 1 }.map { problem, times in
            let best = candidates.filter { times[$0] != nil }.min { times[$0] ?? 0 < times[$1] ?? 0 }
            return Choice(
                problem: problem, algorithm: (best ?? .direct).title,
                milliseconds: Dictionary(uniqueKeysWithValues: times.map { ($0.key.title, $0.value) }))
        }.sorted { $0.problem.order.lexicographicallyPrecedes($1.problem.order) }
    }
}

extension Tuning.Problem {
    fileprivate var order: [Int] { output.dropFirst() + kernel + strides + [inputs, output[0]] }

    /// The problem of a node, if it is a convolution of images.
    static func of(_ node: Node, _ types: [String: TensorType]) -> Tuning.Problem? {
        guard case .convolution(let convolution) = node.operation,
            let input = node.input(0).flatMap({ types[$0]?.extents }), input.count == 4,
            let output = node.outputs.first.flatMap({ $0 }).flatMap({ types[$0]?.extents }), output.count == 4
        else { return nil }
        return Tuning.Problem(convolution, input: input, output: output)
    }
}

extension ConvolutionAlgorithm {
    /// All there are.
    static var all: [ConvolutionAlgorithm] { [.direct, .strassen] + WinogradTile.allCases.map { .winograd($0) } }

    /// What to call it.
    var title: String {
        switch self {
        case .direct: "direct"
        case .winograd(let tile): "Winograd F(\(tile.size),\(tile.taps))\(tile.stride > 1 ? "/\(tile.stride)" : "")"
        case .strassen: "Strassen"
        }
    }

    init?(title: String) {
        guard let algorithm = ConvolutionAlgorithm.all.first(where: { $0.title == title }) else { return nil }
        self = algorithm
    }
}
