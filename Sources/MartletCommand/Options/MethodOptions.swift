import ArgumentParser
import Martlet

extension DecompositionMethod: ExpressibleByArgument {}
extension DecompositionOptions.Start: ExpressibleByArgument {}

/// A method, or none.
enum MethodChoice: ExpressibleByArgument {
    case keep
    case method(DecompositionMethod)

    init?(argument: String) {
        if argument == "keep" {
            self = .keep
        } else if let method = DecompositionMethod(rawValue: argument) {
            self = .method(method)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { ["keep"] + DecompositionMethod.allCases.map(\.rawValue) }

    var method: DecompositionMethod? {
        if case .method(let method) = self { return method }
        return nil
    }
}

/// Which layers are compressed, by kind and by name.
struct LayerFlags: ParsableArguments {
    @Option(help: ArgumentHelp("For convolutions of more than one tap, or `keep`.", valueName: "method"))
    var conv: MethodChoice?
    @Option(help: ArgumentHelp("For 1x1 convolutions: svd, svd-sigma or `keep`.", valueName: "method"))
    var pointwise: MethodChoice?
    @Option(help: ArgumentHelp("For fully connected layers: svd, svd-sigma or `keep`.", valueName: "method"))
    var linear: MethodChoice?
    @Option(
        help: ArgumentHelp(
            "Only layers whose name matches (* any characters, ? one); may be given again.", valueName: "pattern"))
    var include: [String] = []
    @Option(help: ArgumentHelp("Not layers whose name matches; may be given again.", valueName: "pattern"))
    var exclude: [String] = []

    /// What was said about kinds of layers.
    var choices: [(flag: String, kind: LayerKind, choice: MethodChoice)] {
        [
            ("conv", LayerKind.convolution, conv), ("pointwise", .pointwise, pointwise),
            ("linear", .fullyConnected, linear),
        ]
        .compactMap { flag, kind, choice in choice.map { (flag, kind, $0) } }
    }

    /// The rules that this makes of `method`.
    func rules(method: DecompositionMethod) -> LayerRules {
        var rules = LayerRules(method: method)
        for (_, kind, choice) in choices { rules.methods[kind] = choice.method }
        rules.include = include.map { NamePattern($0) }
        rules.exclude = exclude.map { NamePattern($0) }
        return rules
    }

    /// The flags that say this.
    var flags: String {
        var flags = ""
        for (flag, _, choice) in choices { flags += " --\(flag) \(choice.method?.rawValue ?? "keep")" }
        for pattern in include { flags += " --include '\(pattern)'" }
        for pattern in exclude { flags += " --exclude '\(pattern)'" }
        return flags
    }
}

extension CandidateSearch {
    /// Goes by these rules, the first convolution included; kinds of layers that are to be kept are, and where a method was
    /// asked for it is the only one.
    mutating func restrict(to flags: LayerFlags, rules: LayerRules) {
        self.rules = rules
        self.rules.includesFirstConvolution = true
        for (_, kind, choice) in flags.choices { methods[kind] = choice.method.map { [$0] } }
    }
}

/// Which layers are compressed, and how.
struct MethodOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "For every kind of layer that the method is for; tucker2-als-sigma unless told.", valueName: "method"))
    var method: DecompositionMethod?
    @OptionGroup var only: LayerFlags
    @Option(
        help: ArgumentHelp(
            "Methods, ranks and ratios of single layers, {\"name or pattern\": {\"method\": ..., \"ranks\": [...], \"vbmf_ratio\": ...}}.",
            valueName: "file.json"))
    var layers: String?
    @Flag(help: "Compress the first convolution too.") var includeFirst = false

    /// The rules that this amounts to.
    func rules() throws -> LayerRules {
        var rules = only.rules(method: method ?? .tucker2ALSSigma)
        rules.includesFirstConvolution = includeFirst
        if let layers { rules.overrides = try LayerOverrides(contentsOf: layers) }
        return rules
    }
}

/// How alternating methods go about it.
struct SearchOptions: ParsableArguments {
    @Option(
        name: .customLong("init"),
        help: ArgumentHelp("Where alternating methods start: svd or random.", valueName: "start"))
    var start = DecompositionOptions.Start.singularVectors
    @Option(help: ArgumentHelp("The seed of random starts.", valueName: "n")) var seed: UInt64 = 0
    @Option(
        help: ArgumentHelp(
            "Try n starts for each layer, all but the first random, and keep the best.", valueName: "n"))
    var restarts = 1
    @Option(help: ArgumentHelp("The most sweeps for a layer.", valueName: "n")) var sweeps: Int?
    @Option(
        help: ArgumentHelp(
            "End when a sweep lowers the squared error by no more than this part of it.", valueName: "part"))
    var tolerance: Double?
    @Option(
        help: ArgumentHelp(
            "The ridge added to Sigma, as a part of its mean diagonal; else from the number of patches.",
            valueName: "part"))
    var ridge: Double?
    @Option(help: ArgumentHelp("Steps of conjugate gradients in a sweep.", valueName: "n")) var cgSteps: Int?
    @Flag(help: "One factor at a time, as in the paper's Algorithms 1 and 2: slower, for comparison.")
    var oneBlock = false
    @Flag(help: "Keep the rank-one terms of CP small, at hardly more error, for quantisation later.")
    var bounded = false
    @Option(
        help: ArgumentHelp(
            "Also decompose from n random starts, and report how far the errors spread.", valueName: "n"))
    var seeds = 0

    func validate() throws {
        if restarts < 1 { throw ValidationError("--restarts wants at least 1") }
        if !(0...10_000).contains(seeds) { throw ValidationError("--seeds wants 0 to 10000") }
        if let cgSteps, cgSteps < 1 { throw ValidationError("--cg-steps wants at least 1") }
        if let sweeps, sweeps < 0 { throw ValidationError("--sweeps wants at least 0") }
        if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
            throw ValidationError("--tolerance wants a number from 0 on")
        }
        if let ridge, !(ridge >= 1e-9 && ridge.isFinite) { throw ValidationError("--ridge wants 1e-9 or more") }
    }

    /// The options that this amounts to.
    var options: DecompositionOptions {
        var options = DecompositionOptions()
        options.start = start
        options.seed = seed
        options.restarts = restarts
        options.maximumSweeps = sweeps
        options.tolerance = tolerance
        options.regularization = ridge
        options.conjugateGradientSteps = cgSteps
        options.update = oneBlock ? .oneBlockAtATime : .joint
        options.isBounded = bounded
        return options
    }
}
