import ArgumentParser
import Martlet

/// What gradients are used for.
struct GradientOptions: ParsableArguments {
    /// What methods of the Sigma norm minimise.
    enum NormChoice: String, CaseIterable, ExpressibleByArgument {
        /// The change of the layer's outputs.
        case sigma
        /// The change at the network's end, to first order.
        case complete
    }

    @Option(
        help: ArgumentHelp(
            "Statistics from `martlet gradients`; gathered from --images where they are needed unless told.",
            valueName: "file")) var gradients: String?
    @Option(
        help: ArgumentHelp(
            "What the -sigma methods minimise: sigma, the change of a layer's outputs, or complete, what the rest of the network makes of it. Under a budget complete unless told, else sigma.",
            valueName: "sigma|complete"))
    var norm: NormChoice?
    @Option(
        help: ArgumentHelp(
            "The ridge added to Lambda in the complete norm, as a part of its mean diagonal; else from the number of runs. A large one leaves the Sigma norm.",
            valueName: "part"))
    var lambdaRidge: Double?

    func validate() throws {
        if let lambdaRidge, !(lambdaRidge >= 1e-9 && lambdaRidge.isFinite) {
            throw ValidationError("--lambda-ridge wants 1e-9 or more")
        }
    }

    /// Sets what is minimised, and gives what that takes: the gradients in the file, or else those that `gather` gathers.
    func apply(
        to compressor: inout Compressor, unlessTold choice: NormChoice, needsGradients: Bool = false,
        gather: (() throws -> GradientStatistics)?
    ) throws {
        compressor.usesCompleteNorm = (norm ?? choice) == .complete
        if let lambdaRidge { compressor.options.outputRegularization = lambdaRidge }
        if let gradients {
            compressor.gradients = try GradientStatistics(path: gradients)
        } else if compressor.usesCompleteNorm || needsGradients {
            if let gather {
                compressor.gradients = try gather()
            } else if norm == nil {
                // Nothing to gather from: what can be had without is minimised.
                compressor.usesCompleteNorm = false
            }
        }
    }

    /// The flags that say this.
    var flags: String {
        var flags = ""
        if let gradients { flags += " --gradients \(gradients)" }
        if let norm { flags += " --norm \(norm.rawValue)" }
        if let lambdaRidge { flags += " --lambda-ridge \(lambdaRidge)" }
        return flags
    }
}
