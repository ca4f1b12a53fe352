import ArgumentParser
import Martlet

struct MergeGradients: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Add up gradients of the same network over different images.",
        discussion: """
            The order does not matter, and merged files can be merged again. Files of another network, another \
            preprocessing, gradients of something else, or images that are in two of them are refused.
            """)

    @Argument(help: "What `martlet gradients` wrote, for different images.") var parts: [String]
    @Option(name: [.short, .long], help: ArgumentHelp("Where the sum goes.", valueName: "all.safetensors"))
    var output: String
    @OptionGroup var format: OutputOptions

    func run() throws {
        try reportingErrors {
            let statistics = try GradientStatistics(merging: try parts.map { try GradientStatistics(path: $0) })
            try statistics.write(to: output)
            try MergedStatistics(output, statistics.provenance, layers: statistics.layerNames.count)
                .print(asJSON: format.json)
        }
    }
}
