import Foundation
import MartletDecompositions
import MartletEvaluation
import MartletFiles
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors

/// How long a network's layers take on this machine, as they are and replaced, measured inside the network.
///
/// For each method and about ten sizes, all layers are replaced at once by chains of that size (what the weights are does not
/// matter to the clock), and the network is profiled: each layer is seen among its neighbours, with the layouts and the caches
/// of the real thing. Between sizes, time is interpolated over the multiply-adds that the kernels really do, ranks rounded up
/// to whole vectors.
public struct LatencyModel: Sendable, Equatable, Codable {
    /// Of one layer.
    public struct Layer: Sendable, Equatable, Codable {
        /// Milliseconds as it is.
        public var original: Double
        /// By method, multiply-adds (ranks rounded up) and milliseconds, rising in the first.
        public var points: [String: [[Double]]]
    }

    /// What was measured, and where; another machine has other times.
    public var machine: String
    /// By name.
    public var layers: [String: Layer]
    /// Milliseconds of the whole original.
    public var total: Double

    /// The numbers that a vector of the widest kernels holds.
    static let lanes = 16

    /// What the times depend on, besides the machine: network, input and threads.
    static func machine(_ network: Network, shape: Shape, threads: Int) throws -> String {
        let processor =
            (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
            .split(separator: "\n").first { $0.hasPrefix("model name") } ?? ""
        var hash = FNV1a()
        // Weights do not matter, shapes do.
        for layer in network.weightedLayers() {
            hash.add("\(layer.name) \(layer.kind) \(layer.outputs) \(layer.inputs) \(layer.kernel) \(layer.groups)")
        }
        return "1 \(hash.text) \(shape) \(threads) threads \(try InstructionSet.chosen()) \(processor)"
    }

    /// Measures a network.
    /// - Parameters:
    ///   - options: its layers and the ways to replace them.
    ///   - shape: of the input.
    ///   - seconds: for each of about 35 profiles.
    ///   - pool: the threads that run the network.
    ///   - progress: told how many profiles are done.
    /// - Throws: `NetworkError`, `InstructionSetError`, whatever `progress` throws.
    public init(
        measuring network: Network, _ options: [LayerOptions], shape: Shape, seconds: Double, pool: ThreadPool,
        progress: (_ done: Int, _ count: Int) throws -> Void = { _, _ in }
    ) throws {
        machine = try LatencyModel.machine(network, shape: shape, threads: pool.threadCount)
        let weighted = Dictionary(network.weightedLayers().map { ($0.name, $0) }) { first, _ in first }
        let typed = try network.forOneImage()
        func profile(_ network: Network) throws -> (times: [String: Double], total: Double) {
            let executor = try Executor(network: network, pool: pool)
            let profile = try executor.profile(try executor.noise(shape), seconds: seconds)
            return (
                Dictionary(profile.nodes.map { ($0.name, $0.milliseconds) }, uniquingKeysWith: +),
                profile.milliseconds
            )
        }
        let original = try profile(network)
        total = original.total
        layers = [:]
        for layer in options {
            layers[layer.name] = Layer(original: original.times[layer.name] ?? 0, points: [:])
        }
        let methods = Set(options.flatMap { $0.candidates.map(\.method) }).sorted { $0.rawValue < $1.rawValue }
        let count = 10
        for (number, method) in methods.enumerated() {
            for level in 1...count {
                var chains: [String: LayerReplacement] = [:]
                var sizes: [String: Double] = [:]
                for layer in options where layer.kept == nil {
                    guard let node = weighted[layer.name], let kernel = try network.kernel(of: node) else { continue }
                    let own = layer.candidates.filter { $0.method == method }
                        .sorted { $0.cost.multiplyAdds < $1.cost.multiplyAdds }
                    // Of even splits only: with several ranks, those about the middle of their range.
                    let even = own.filter { candidate in
                        guard candidate.ranks.count == 2 else { return true }
                        let (output, input) = (
                            Double(candidate.ranks[0]) / Double(kernel.outputs),
                            Double(candidate.ranks[1]) / Double(kernel.inputs)
                        )
                        return output < 1.6 * input && input < 1.6 * output
                    }
                    let among = even.isEmpty ? own : even
                    guard !among.isEmpty else { continue }
                    let candidate = among[(among.count - 1) * level / count]
                    chains[layer.name] = LayerReplacement(
                        links: try method.form.emptyLinks(of: kernel.shape, ranks: candidate.ranks), bias: nil)
                    sizes[layer.name] = LatencyModel.size(
                        LayerGeometry(node, in: typed), kernel.shape, method.form, candidate.ranks)
                }
                let measured = try profile(try network.replacing(chains))
                for (name, chain) in chains {
                    let time = chain.links.reduce(0) { $0 + (measured.times["\(name).\($1.name)"] ?? 0) }
                    layers[name]?.points[method.rawValue, default: []].append([sizes[name] ?? 0, time])
                }
                try progress(number * count + level, methods.count * count)
            }
        }
        for name in layers.keys {
            for (method, points) in layers[name]?.points ?? [:] {
                layers[name]?.points[method] = LatencyModel.monotone(points)
            }
        }
    }

    /// The multiply-adds that the kernels do: ranks come in whole vectors.
    private static func size(
        _ geometry: LayerGeometry, _ shape: [Int], _ form: DecompositionForm, _ ranks: [Int]
    ) -> Double {
        let whole = ranks.map { ($0 + lanes - 1) / lanes * lanes }
        return Double(geometry.multiplyAdds(of: shape, form: form, ranks: whole))
    }

    /// Points in the order of their size; of several of one size the fastest; a larger one is no faster.
    private static func monotone(_ points: [[Double]]) -> [[Double]] {
        var result: [[Double]] = []
        for point in points.sorted(by: { ($0[0], $0[1]) < ($1[0], $1[1]) }) where result.last?[0] != point[0] {
            result.append(point)
        }
        // A disturbance only ever makes a run slower.
        var least = Double.infinity
        for index in result.indices.reversed() {
            least = min(least, result[index][1])
            result[index][1] = least
        }
        return result
    }

    /// Milliseconds of a layer replaced by a candidate; `nil` for one that was not measured.
    func milliseconds(
        of layer: WeightedLayer, shape: [Int], in typed: TypedNetwork, _ candidate: LayerCandidate
    ) -> Double? {
        guard let points = layers[layer.name]?.points[candidate.method.rawValue], let first = points.first,
            let last = points.last
        else { return nil }
        let size = LatencyModel.size(
            LayerGeometry(layer, in: typed), shape, candidate.method.form, candidate.ranks)
        if size <= first[0] { return first[1] }
        if size >= last[0] { return last[1] * size / max(last[0], 1) }
        let upper = points.firstIndex { $0[0] >= size } ?? points.count - 1
        let (a, b) = (points[upper - 1], points[upper])
        return a[1] + (b[1] - a[1]) * (size - a[0]) / max(b[0] - a[0], 1)
    }

    /// The options with the milliseconds of everything.
    func timed(_ options: [LayerOptions], network: Network) throws -> [LayerOptions] {
        let typed = try network.forOneImage()
        let weighted = Dictionary(network.weightedLayers().map { ($0.name, $0) }) { first, _ in first }
        return try options.map { options in
            var result = options
            result.original.milliseconds = layers[options.name]?.original
            guard let layer = weighted[options.name], let kernel = try network.kernel(of: layer) else { return result }
            for index in result.candidates.indices {
                result.candidates[index].cost.milliseconds = milliseconds(
                    of: layer, shape: kernel.shape, in: typed, result.candidates[index])
            }
            return result
        }
    }

    // MARK: The file

    /// The model in a file, if it is of this machine, network, input and number of threads.
    static func cached(at path: String, for machine: String) -> LatencyModel? {
        guard let data = try? MappedFile(path: path).withUnsafeBytes({ Data($0) }),
            let model = try? JSONDecoder().decode(LatencyModel.self, from: data), model.machine == machine,
            model.layers.values.allSatisfy({ $0.points.values.allSatisfy { $0.allSatisfy { $0.count == 2 } } })
        else { return nil }
        return model
    }

    /// Writes the model to a file.
    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try OutputFile.write(try encoder.encode(self), to: path)
    }
}

extension DecompositionForm {
    /// Layers of the right shapes with weights that mean nothing, for the clock.
    func emptyLinks(of shape: [Int], ranks: [Int]) throws -> [FactorLayer] {
        let (outputs, inputs, height, width) = (shape[0], shape[1], shape[2], shape[3])
        func link(
            _ index: Int, _ outputs: Int, _ inputs: Int, _ height: Int, _ width: Int, _ window: FactorLayer.Window,
            isDepthwise: Bool = false
        ) throws -> FactorLayer {
            let kernel = try ConvolutionKernel(
                outputs: outputs, inputs: inputs, height: height, width: width,
                elements: [Double](repeating: 1 / 1024, count: outputs * inputs * height * width))
            return FactorLayer(layerNames[index], kernel, window: window, isDepthwise: isDepthwise)
        }
        let rank = ranks[0]
        switch self {
        case .tucker2:
            return [
                try link(0, ranks[1], inputs, 1, 1, .point), try link(1, rank, ranks[1], height, width, .full),
                try link(2, outputs, rank, 1, 1, .point),
            ]
        case .canonicalPolyadic:
            return [
                try link(0, rank, inputs, 1, 1, .point), try link(1, rank, 1, height, 1, .rows, isDepthwise: true),
                try link(2, rank, 1, 1, width, .columns, isDepthwise: true), try link(3, outputs, rank, 1, 1, .point),
            ]
        case .lowRank:
            return [try link(0, rank, inputs, height, width, .full), try link(1, outputs, rank, 1, 1, .point)]
        case .spatial:
            return [try link(0, rank, inputs, height, 1, .rows), try link(1, outputs, rank, 1, width, .columns)]
        }
    }
}
