import ArgumentParser
import Martlet

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a network on an array and write what comes out.",
        discussion:
            "Arrays are NumPy .npy files. For networks with several inputs or outputs repeat the option with NAME=FILE."
    )

    @Argument(help: "The network, an ONNX file.") var model: String
    @Option(help: ArgumentHelp("The input, or NAME=FILE for one of several.", valueName: "x.npy"))
    var input: [String]
    @Option(help: ArgumentHelp("Where the output goes, or NAME=FILE for one of several.", valueName: "y.npy"))
    var output: [String]
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var threads: ThreadOptions

    func run() throws {
        try reportingErrors {
            let model = try Model(path: model, onlyRuns: true)
            let pool = threads.pool
            let options = try execution.options(pool: pool) { model }
            let network = (consume model).network
            let inputs = try pairs(input, names: network.inputs.map(\.name), option: "--input")
            let outputs = try pairs(output, names: network.outputs.map(\.name), option: "--output")
            for file in outputs { try OutputFile.checkWritable(file.path) }
            var tensors: [String: Tensor] = [:]
            for file in inputs { tensors[file.name] = try NumPyFile.read(path: file.path) }
            let executor = try Executor(network: consume network, fixedTo: tensors, pool: pool, options: options)
            let results = try executor.run(tensors)
            for file in outputs {
                if let tensor = results[file.name] { try NumPyFile.write(tensor, to: file.path) }
            }
        }
    }

    /// Each NAME=FILE, or a FILE alone for the first name.
    private func pairs(_ texts: [String], names: [String], option: String) throws -> [(name: String, path: String)] {
        try texts.map { text in
            if let name = names.first(where: { text.hasPrefix($0 + "=") }) {
                return (name, String(text.dropFirst(name.count + 1)))
            }
            guard texts.count == 1, let name = names.first else {
                throw ValidationError("\(option) '\(text)' names none of \(names.joined(separator: ", "))")
            }
            return (name, text)
        }
    }
}
