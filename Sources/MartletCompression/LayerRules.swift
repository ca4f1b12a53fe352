import MartletDecompositions
import MartletNetworks

/// Which layers are compressed, and by which method.
///
/// A layer is looked up in this order: what the overrides say about its name; the patterns that exclude and include;
/// the first convolution; the method for its kind.
public struct LayerRules: Sendable, Equatable {
    /// The method for each kind of layer; kinds that are not there stay as they are.
    public var methods: [LayerKind: DecompositionMethod]
    /// Patterns (``NamePattern``) one of which a layer's name must match; none lets every layer through.
    public var include: [NamePattern] = []
    /// Patterns none of which a layer's name may match.
    public var exclude: [NamePattern] = []
    /// Whether the first convolution is compressed too. The paper leaves it alone: it is small, and everything depends on it.
    public var includesFirstConvolution = false
    /// What is said about single layers.
    public var overrides = LayerOverrides()

    /// Rules that use a method wherever it applies.
    public init(method: DecompositionMethod) {
        methods = Dictionary(uniqueKeysWithValues: method.layerKinds.map { ($0, method) })
    }

    /// Rules with a method for each kind.
    public init(methods: [LayerKind: DecompositionMethod]) { self.methods = methods }

    /// What is to happen to a layer.
    enum Decision: Equatable {
        case keep(reason: String)
        case decompose(DecompositionMethod, LayerOverrides.Entry?)
    }

    func decision(on layer: WeightedLayer, isFirstConvolution: Bool) -> Decision {
        let entry = overrides.entry(for: layer.name)
        if let entry, entry.keeps { return .keep(reason: entry.reason ?? "by override") }
        let kind = layer.layerKind
        if layer.groups > 1 {
            return .keep(reason: layer.groups == layer.inputs ? "depthwise" : "\(layer.groups) groups")
        }
        if layer.kernel.count > 2 { return .keep(reason: "\(layer.kernel.count) spatial axes") }
        if entry == nil {
            if exclude.contains(where: { $0.matches(layer.name) }) { return .keep(reason: "excluded") }
            if !include.isEmpty, !include.contains(where: { $0.matches(layer.name) }) {
                return .keep(reason: "not included")
            }
            if isFirstConvolution, kind == .convolution, methods[kind] != nil, !includesFirstConvolution {
                return .keep(reason: "first convolution")
            }
        }
        guard let method = entry?.method ?? methods[kind] else { return .keep(reason: kind.plainName) }
        guard method.layerKinds.contains(kind) else {
            return .keep(reason: "\(method.rawValue) is not for \(kind.plainName) layers")
        }
        return .decompose(method, entry)
    }

    /// Whether any method looks at statistics.
    var needsStatistics: DecompositionMethod? { usedMethods.first(where: \.needsStatistics) }

    /// Whether any method looks at statistics of gradients.
    public var needsGradients: Bool { usedMethods.contains { $0.measure == .fisher } }

    /// Every method that is named.
    var usedMethods: [DecompositionMethod] {
        methods.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value) + overrides.methods
    }
}

extension LayerKind {
    /// As a reason for staying as it is.
    var plainName: String {
        switch self {
        case .convolution: "convolution"
        case .pointwise: "pointwise"
        case .fullyConnected: "fully connected"
        }
    }
}

extension WeightedLayer {
    /// What a method is chosen for.
    public var layerKind: LayerKind {
        guard case .convolution = kind else { return .fullyConnected }
        return kernel.allSatisfy { $0 == 1 } ? .pointwise : .convolution
    }
}
