import ArgumentParser
import Martlet

struct SigmaCost: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cost",
        abstract: "Measure on this machine what gathering Sigma costs, layer by layer, beside running the network.")

    @Argument(help: "The network, an ONNX file.") var model: String
    @Flag(help: "Measure every form of the sums, not only the one that is chosen.") var allForms = false
    @Option(help: ArgumentHelp("How often to measure; the shortest time counts.", valueName: "n")) var repetitions = 5
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if !(1...1000).contains(repetitions) { throw ValidationError("--repetitions wants 1 to 1000") }
    }

    private struct Figures: Codable {
        struct Layer: Codable {
            var layers: [String]
            var patchSize: Int
            var chosen: String
            var milliseconds: [String: Double]
        }
        var layers: [Layer]
        var forward: Double
        var total: Double
        var images: Int
        var threads: Int
        var peakBytes: Int

        enum CodingKeys: String, CodingKey {
            case layers, images, threads
            case forward = "forward_ms"
            case total = "total_ms"
            case peakBytes = "peak_bytes"
        }
    }

    func run() throws {
        try reportingErrors {
            let pool = threads.pool
            let cost = try Model(path: model).gatheringCost(
                forms: allForms ? MomentForm.allCases : [], repetitions: repetitions, pool: pool)
            if output.json {
                return try Terminal.printJSON(
                    Figures(
                        layers: cost.layers.map { layer in
                            Figures.Layer(
                                layers: layer.names, patchSize: layer.patchSize, chosen: layer.chosen.rawValue,
                                milliseconds: Dictionary(
                                    uniqueKeysWithValues: layer.seconds.map { ($0.key.rawValue, $0.value * 1e3) }))
                        }, forward: cost.forward * 1e3, total: cost.total * 1e3, images: cost.images,
                        threads: pool.threadCount, peakBytes: ProcessMemory.peakBytes))
            }
            var table = Table(
                [("layer", .left), ("D", .right), ("chosen", .left)]
                    + MomentForm.allCases.map { ($0.rawValue, .right) })
            for layer in cost.layers {
                let more = layer.names.count > 1 ? " and \(layer.names.count - 1) more" : ""
                table.add(
                    [layer.names[0] + more, "\(layer.patchSize)", layer.chosen.rawValue]
                        + MomentForm.allCases.map { form in
                            layer.seconds[form].map { Format.milliseconds($0 * 1e3) } ?? ""
                        })
            }
            print(table.text)
            let sum = cost.layers.reduce(0.0) { $0 + ($1.seconds[$1.chosen] ?? 0) }
            print("")
            print("sums       \(Format.milliseconds(sum * 1e3)) an image in the chosen forms")
            print("network    \(Format.milliseconds(cost.forward * 1e3)) an image, \(cost.images) images a run")
            print("together   \(Format.milliseconds(cost.total * 1e3)) an image")
            print("memory     \(Format.bytes(ProcessMemory.peakBytes)) at most")
        }
    }
}
