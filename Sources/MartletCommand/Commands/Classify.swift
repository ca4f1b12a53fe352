import ArgumentParser
import Martlet

struct Classify: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the most probable classes of images.")

    @Argument(help: "The network, an ONNX file.") var model: String
    @Argument(help: "Images, PNG or JPEG.") var images: [String]
    @Option(help: ArgumentHelp("How many classes to show.", valueName: "k")) var top = 5
    @Option(help: ArgumentHelp("Class map: one class a line, the line number is the index.", valueName: "file"))
    var labels: String?
    @OptionGroup var preprocessing: PreprocessingFlags
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws { if top < 1 { throw ValidationError("--top wants at least 1") } }

    private struct Answer: Codable {
        struct Class: Codable {
            var label: Int
            var name: String?
            var probability: Double
        }
        var image: String
        var classes: [Class]
    }

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model, onlyRuns: true)
            let preprocessing = try model.preprocessing(try preprocessing.options())
            let names = try labels.map { try ClassMap(contentsOf: $0).names }
            let pool = threads.pool
            let executor = try Executor(
                network: model.network, pool: pool, options: try execution.options(pool: pool) { model })
            var answers: [Answer] = []
            for path in images {
                let classes = try model.classify(
                    try Image(contentsOf: path), preprocessing: preprocessing, count: top, executor: executor)
                let answer = Answer(
                    image: path,
                    classes: classes.map { found in
                        let name = names.flatMap { $0.indices.contains(found.label) ? $0[found.label] : nil }
                        return Answer.Class(label: found.label, name: name, probability: found.probability)
                    })
                answers.append(answer)
                if output.json { continue }
                print(path)
                for found in answer.classes {
                    print("  \(Format.percent(found.probability))  \(found.label)  \(found.name ?? "")")
                }
            }
            if output.json { try Terminal.printJSON(answers) }
        }
    }
}
