import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport

/// One pool for each number of threads, shared by all tests.
let pools = [ThreadPool(threadCount: 1), ThreadPool(threadCount: 2), ThreadPool(threadCount: 3)]

/// A network of one node. The operands numbered in `constants` are constants, the others inputs; they are named `0`, `1`, ...
func network(
    _ operation: Operator, _ operands: [Tensor?], constants: Set<Int> = [], outputCount: Int = 1
) -> Network {
    var network = Network(name: "one node", inputs: [], outputs: [], nodes: [])
    for (index, tensor) in operands.enumerated() {
        guard let tensor else { continue }
        if constants.contains(index) {
            network.constants["\(index)"] = tensor
        } else {
            network.inputs.append(
                .init(
                    name: "\(index)", type: TensorType(tensor.elementType, tensor.shape.extents.map { _ in .unknown })))
        }
    }
    let outputs = (0..<outputCount).map { "y\($0)" }
    network.outputs = outputs.map { .init(name: $0, type: TensorType(.float32, [])) }
    network.nodes = [
        Node(
            name: "node", operation: operation, inputs: operands.indices.map { operands[$0] == nil ? nil : "\($0)" },
            outputs: outputs)
    ]
    return network
}

/// The outputs of a network of one node.
func run(
    _ operation: Operator, _ operands: [Tensor?], constants: Set<Int> = [], outputCount: Int = 1, threads: Int = 2
) throws -> [Tensor] {
    let network = network(operation, operands, constants: constants, outputCount: outputCount)
    let executor = try Executor(network: network, pool: pools[threads - 1])
    var inputs: [String: Tensor] = [:]
    for input in network.inputs { inputs[input.name] = operands[Int(input.name) ?? 0] }
    let results = try executor.run(inputs)
    return network.outputs.compactMap { results[$0.name] }
}

extension Tensor {
    init(_ values: [Float], _ extents: [Int]) throws { try self.init(values, shape: Shape(extents)) }

    /// The elements, which are float32.
    var floats: [Float] { get throws { try elements(Float.self) } }

    /// The images `range` of a batch.
    func images(_ range: Range<Int>) throws -> Tensor {
        let size = shape.elementCount / shape[0]
        return try Tensor(
            Array(floats[(range.lowerBound * size)..<(range.upperBound * size)]),
            [range.count] + shape.extents.dropFirst())
    }
}

extension SeededGenerator {
    mutating func tensor(_ extents: [Int]) throws -> Tensor { try Tensor(floats(extents.reduce(1, *)), extents) }
}

extension WindowOracle {
    /// The network's form of the window.
    var window: Window {
        Window(
            kernel: kernel, strides: strides, dilations: dilations, padding: .explicit(before: before, after: after))
    }

    /// The same window with ONNX's `SAME` padding, by its definition.
    func same(upper: Bool) -> WindowOracle {
        var result = self
        for axis in input.indices {
            result.output[axis] = (input[axis] + strides[axis] - 1) / strides[axis]
            let span = (kernel[axis] - 1) * dilations[axis] + 1
            let total = max(0, (result.output[axis] - 1) * strides[axis] + span - input[axis])
            result.before[axis] = upper ? total / 2 : total - total / 2
            result.after[axis] = total - result.before[axis]
        }
        return result
    }
}
