import ArgumentParser
import Martlet

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a network's layers, shapes, parameters, MACs and bytes.",
        discussion: """
            The network is shown as Martlet runs it: batch norms folded, constants computed. MACs (multiply-adds) are \
            those of one image; layers without weights are counted in but not listed unless --all is given.
            """)

    @Argument(help: "The network, an ONNX file.") var model: String
    @Flag(help: "List the nodes without weights too.") var all = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions

    func run() throws {
        try reportingErrors {
            let inspection = try Model(path: model).inspection()
            if output.json { return try Terminal.printJSON(inspection) }
            print("\(inspection.name)  \(inspection.path)")
            for value in inspection.inputs { print("input   \(value.name)  \(value.type)") }
            for value in inspection.outputs { print("output  \(value.name)  \(value.type)") }
            print("images  \(inspection.preprocessing ?? "preprocessing not stated in the file")\n")
            var table = Table([
                ("layer", .left), ("operation", .left), ("output", .left), ("parameters", .right),
                ("MACs", .right), ("bytes", .right),
            ])
            for node in inspection.nodes where all || node.parameters > 0 {
                table.add([
                    node.name, node.operation, node.output, Format.grouped(node.parameters),
                    Format.grouped(node.multiplyAdds), Format.grouped(node.bytes),
                ])
            }
            table.add([
                "total", "\(inspection.nodes.count) nodes", "", Format.grouped(inspection.parameters),
                Format.grouped(inspection.multiplyAdds), Format.grouped(inspection.bytes),
            ])
            print(table.text)
            let stored = inspection.stored.map { "\($0.type) \(Format.bytes($0.bytes)) in \($0.tensors)" }
            print("\nin the file: \(stored.joined(separator: ", ")) tensors")
        }
    }
}
