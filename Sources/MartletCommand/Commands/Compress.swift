import ArgumentParser
import Martlet

extension CompressionMethod: ExpressibleByArgument {}

struct Compress: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace layers by low-rank factors and write the smaller network.",
        discussion: """
            Ranks come from VBMF: R = R_max - ratio (R_max - R_VBMF), so a larger ratio makes a smaller network; or from a \
            JSON file that maps layer names to [output rank, input rank]. The first convolution, pointwise, grouped and \
            fully connected layers stay as they are, and so does a layer that would not get smaller. The preprocessing, \
            where it is known, is stored in the output.

            The table shows the squared relative errors tr((W-V) Sigma (W-V)^T) / tr(W Sigma W^T) and |W-V|^2 / |W|^2.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Option(help: ArgumentHelp("Statistics from `martlet sigma`.", valueName: "file")) var sigma: String?
    @Option(
        name: .customLong("images"),
        help: ArgumentHelp(
            "Images to gather Sigma from, in any form `evaluate` takes; instead of --sigma.", valueName: "data"))
    var data: String?
    @Option(
        help: ArgumentHelp(
            "tucker2-als looks at the weights, tucker2-als-sigma at what they do to the outputs.", valueName: "method"))
    var method = CompressionMethod.tucker2ALSSigma
    @Option(
        help: ArgumentHelp(
            "0 keeps full ranks, 1 takes VBMF's: larger means smaller. 0.5 unless told.", valueName: "ratio"))
    var vbmfRatio: Double?
    @Option(
        help: ArgumentHelp(
            "Ranks by layer instead, {\"conv1\": [output, input]}; layers not named stay.", valueName: "file.json"))
    var ranks: String?
    @Flag(help: "Compress the first convolution too.") var includeFirst = false
    @Option(name: [.short, .long], help: ArgumentHelp("Where the network goes.", valueName: "small.onnx"))
    var output: String
    @OptionGroup var images: DataOptions
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var format: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if sigma != nil, data != nil { throw ValidationError("give --sigma or --images, not both") }
        if vbmfRatio != nil, ranks != nil { throw ValidationError("give --vbmf-ratio or --ranks, not both") }
        if method.needsStatistics, sigma == nil, data == nil {
            throw ValidationError("the method \(method.rawValue) needs --sigma FILE or --images DATA")
        }
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model)
            let choice = try ranks.map { try RankChoice(contentsOf: $0) } ?? .vbmf(ratio: vbmfRatio ?? 0.5)
            let options = try preprocessing.options()
            try OutputFile.checkWritable(output)
            let pool = threads.pool
            let line = ProgressLine()
            var statistics = try sigma.map { try Statistics(path: $0) }
            if let data {
                statistics = try model.gatherStatistics(
                    on: try images.open(data), preprocessing: try model.preprocessing(options), pool: pool,
                    progress: { line.show($0) })
            }
            var compressor = Compressor(method: method, ranks: choice, pool: pool)
            compressor.includesFirstConvolution = includeFirst
            let (compressed, report) = try model.compressed(
                by: compressor, statistics: statistics, preprocessing: options, progress: { line.show($0) })
            line.finish()
            try ONNXWriter.write(compressed.network, to: output)
            if format.json { return try Terminal.printJSON(report) }
            printReport(report)
            print("\nwritten to \(output)")
        }
    }

    private func printReport(_ report: CompressionReport) {
        var table = Table([
            ("layer", .left), ("kernel", .left), ("ranks", .left), ("parameters", .right), ("MACs", .right),
            ("sigma error", .right), ("frobenius error", .right), ("", .left),
        ])
        func change(_ before: Int, _ after: Int) -> String {
            before == after ? Format.grouped(before) : "\(Format.grouped(before)) -> \(Format.grouped(after))"
        }
        for layer in report.layers {
            table.add([
                layer.name, Format.extents(layer.shape), layer.ranks.map(Format.extents) ?? "",
                change(layer.parametersBefore, layer.parametersAfter),
                change(layer.multiplyAddsBefore, layer.multiplyAddsAfter), Format.error(layer.sigmaError),
                Format.error(layer.frobeniusError), layer.kept.map { "kept: \($0)" } ?? "",
            ])
        }
        table.add([
            "total", "", "", change(report.parametersBefore, report.parametersAfter),
            change(report.multiplyAddsBefore, report.multiplyAddsAfter), "", "", "",
        ])
        print(table.text)
        let rate = Format.number(report.compressionRate)
        let work = Double(report.multiplyAddsBefore) / Double(max(report.multiplyAddsAfter, 1))
        print("\n\(rate) times fewer parameters, \(Format.number(work)) times fewer MACs")
    }
}
