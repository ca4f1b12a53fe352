import ArgumentParser
import Martlet

struct MergeSigma: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Add up statistics of the same network over different images.",
        discussion: """
            The order does not matter, and merged files can be merged again. Files of another network, another \
            preprocessing, or images that are in two of them are refused.
            """)

    @Argument(help: "What `martlet sigma` wrote, for different images.") var parts: [String]
    @Option(name: [.short, .long], help: ArgumentHelp("Where the sum goes.", valueName: "all.safetensors"))
    var output: String
    @OptionGroup var format: OutputOptions

    func run() throws {
        try reportingErrors {
            let statistics = try Statistics(merging: try parts.map { try Statistics(path: $0) })
            try statistics.write(to: output)
            try MergedStatistics(output, statistics.provenance, layers: statistics.layerNames.count)
                .print(asJSON: format.json)
        }
    }
}
