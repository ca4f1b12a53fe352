import MartletDecompositions
import MartletNetworks

/// What a layer, or what stands for it, costs.
public struct LayerCost: Sendable, Equatable, Codable {
    /// Trained numbers, the bias included.
    public var parameters: Int
    /// Multiply-adds on one image.
    public var multiplyAdds: Int
    /// Milliseconds an image as measured or interpolated; `nil` where nobody measured.
    public var milliseconds: Double?

    /// A cost.
    public init(parameters: Int, multiplyAdds: Int, milliseconds: Double? = nil) {
        self.parameters = parameters
        self.multiplyAdds = multiplyAdds
        self.milliseconds = milliseconds
    }

    /// In one measure; 0 milliseconds where nobody measured.
    public func amount(_ measure: CostMeasure) -> Double {
        switch measure {
        case .parameters: Double(parameters)
        case .multiplyAdds: Double(multiplyAdds)
        case .bytes: 4 * Double(parameters)
        case .latency: milliseconds ?? 0
        }
    }

    enum CodingKeys: String, CodingKey {
        case parameters, milliseconds
        case multiplyAdds = "macs"
    }
}

/// Over how many positions a layer works on one image.
struct LayerGeometry: Sendable, Equatable {
    /// The height and width of its input, 1 for axes that it does not have.
    var input: (height: Int, width: Int)
    /// And of its output.
    var output: (height: Int, width: Int)

    static func == (a: LayerGeometry, b: LayerGeometry) -> Bool { a.input == b.input && a.output == b.output }

    /// The geometry of a layer of a network whose types are known.
    init(_ layer: WeightedLayer, in typed: TypedNetwork) {
        let node = typed.network.nodes.first { $0.name == layer.name }
        func extents(_ value: String?) -> (Int, Int) {
            let all = value.flatMap { typed.types[$0] }?.dimensions.map { $0.value ?? 1 } ?? []
            guard !layer.kernel.isEmpty else { return (1, max(1, all.dropLast().reduce(1, *))) }
            let spatial = Array(all.dropFirst(2))
            return (spatial.count > 1 ? spatial[0] : 1, spatial.last ?? 1)
        }
        input = extents(node?.input(0))
        output = extents(node?.outputs.first.flatMap { $0 })
    }

    /// The multiply-adds of a kernel of `shape` `[T, S, h, w]` taken apart.
    func multiplyAdds(of shape: [Int], form: DecompositionForm, ranks: [Int]) -> Int {
        let (outputs, inputs, height, width) = (shape[0], shape[1], shape[2], shape[3])
        let (before, between, after) = (
            input.height * input.width, output.height * input.width, output.height * output.width
        )
        switch form {
        case .tucker2:
            return inputs * ranks[1] * before + (ranks[0] * ranks[1] * height * width + ranks[0] * outputs) * after
        case .canonicalPolyadic:
            return ranks[0]
                * (inputs * before + (height > 1 ? height * between : 0) + (width > 1 ? width * after : 0)
                    + outputs * after)
        case .lowRank: return ranks[0] * (inputs * height * width + outputs) * after
        case .spatial: return ranks[0] * (inputs * height * between + outputs * width * after)
        }
    }
}
