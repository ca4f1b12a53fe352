import ArgumentParser
import Martlet

struct Differentiate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compute the gradient of a network's loss by each of its parameters.",
        discussion: """
            The loss is the mean cross-entropy of a batch. Parameters are those of the network as Martlet works on it: \
            batch normalisations are folded into convolutions.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Option(help: ArgumentHelp("The batch, float32 [N, ...].", valueName: "x.npy")) var input: String
    @Option(help: ArgumentHelp("The classes, N integers.", valueName: "labels.npy")) var labels: String
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Where the gradients go, by parameter.", valueName: "gradients.safetensors"))
    var output: String
    @OptionGroup var threads: ThreadOptions

    func run() throws {
        try reportingErrors {
            try OutputFile.checkWritable(output)
            let labels = try NumPyFile.read(path: labels).elements(Int64.self).map { Int($0) }
            let result = try Model(path: model).gradients(
                input: try NumPyFile.read(path: input), labels: labels, pool: threads.pool)
            let gradients = Dictionary(
                result.gradients.map { ($0.name, $0.gradient) }, uniquingKeysWith: { first, _ in first })
            try SafetensorsWriter.write(
                result.gradients.map { ($0.name, .float32, $0.gradient.shape) }, metadata: ["loss": "\(result.loss)"],
                to: output
            ) { name in
                guard let gradient = gradients[name] else {
                    throw NetworkError.undefinedValue(name: name, user: "the list of gradients")
                }
                return gradient
            }
            print("loss \(Format.fixed(result.loss, 4)), \(result.gradients.count) gradients written to \(output)")
        }
    }
}
