import MartletInference
import MartletKernelsBaseline
import MartletNetworks
import MartletParallelism
import MartletTensors

/// Makes the plan of a network for inputs of certain shapes.
struct TrainingPlanner {
    private let store: ParameterStore
    let momentum: Float?
    private let pool: ThreadPool
    private var network: Network
    private var types: [String: TensorType]
    /// Values with a gradient, parameters included.
    private var differentiated: Set<String> = []
    private var operands: [String: Operand] = [:]
    private var gradients: [String: UnsafeMutablePointer<Float>] = [:]
    /// Values whose gradient has a part already, in backward order.
    private var begun: Set<String> = []
    private var constants: [Tensor] = []

    init(
        network: Network, shapes: [String: Shape], store: ParameterStore, momentum: Float?, pool: ThreadPool
    ) throws {
        self.store = store
        self.momentum = momentum
        self.pool = pool
        var typed = try network.specialized(to: shapes)
        typed.network.fuse(types: typed.types)
        self.network = typed.network
        types = typed.types
        separateActivations()
        findDifferentiated()
    }

    mutating func build() throws -> TrainingPlan {
        let arena = try layOut()
        begun = Set(network.outputs.map(\.name))
        var steps: [any DifferentiableStep] = []
        for node in network.nodes.reversed() { steps.append(try step(node)) }
        let inputs = try network.inputs.map { (name: $0.name, operand: try operand(named: $0.name)) }
        let outputs = try network.outputs.map {
            (name: $0.name, operand: try operand(named: $0.name), gradient: gradients[$0.name])
        }
        return try TrainingPlan(
            inputs: inputs, outputs: outputs, steps: steps.reversed(), arena: arena, constants: constants, pool: pool)
    }

    /// Takes activations out of layers again whose gradient needs their argument.
    private mutating func separateActivations() {
        var nodes: [Node] = []
        for var node in network.nodes {
            var separate: Activation?
            switch node.operation {
            case .convolution(var convolution):
                if let activation = convolution.activation, !activation.isToldByResult {
                    separate = activation
                    convolution.activation = nil
                    node.operation = .convolution(convolution)
                }
            case .gemm(var gemm):
                if let activation = gemm.activation, !activation.isToldByResult {
                    separate = activation
                    gemm.activation = nil
                    node.operation = .gemm(gemm)
                }
            default: break
            }
            guard let separate, let output = node.outputs.first, let output else {
                nodes.append(node)
                continue
            }
            var name = output + ".argument"
            while types[name] != nil { name += "'" }
            types[name] = types[output]
            node.outputs[0] = name
            nodes.append(node)
            nodes.append(
                Node(name: "", operation: .activation(separate), inputs: [name], outputs: [output]))
        }
        network.nodes = nodes
    }

    private mutating func findDifferentiated() {
        differentiated = Set(store.parameters.map(\.name))
        for node in network.nodes where node.inputs.contains(where: { $0.map(differentiated.contains) ?? false }) {
            for case let output? in node.outputs where types[output]?.elementType == .float32 {
                differentiated.insert(output)
            }
        }
    }

    // MARK: Memory

    /// Gives every value and every gradient its memory.
    private mutating func layOut() throws -> Arena {
        let times = Lifetimes(nodeCount: network.nodes.count)
        var buffers: [BufferPacking.Buffer] = []
        var valueOf: [String: Int] = [:]
        var gradientOf: [String: Int] = [:]
        func add(_ name: String, at time: Int) throws -> Int {
            let count = try extents(of: name).reduce(1, *)
            let bytes = try CheckedArithmetic.product([count, MemoryLayout<Float>.stride])
            buffers.append(BufferPacking.Buffer(bytes: bytes, first: time, last: time))
            return buffers.count - 1
        }
        for input in network.inputs { valueOf[input.name] = try add(input.name, at: 0) }
        for (index, node) in network.nodes.enumerated() {
            for case let name? in node.inputs {
                if let buffer = valueOf[name] { buffers[buffer].last = times.forward(index) }
            }
            for case let name? in node.outputs { valueOf[name] = try add(name, at: times.forward(index)) }
        }
        for output in network.outputs {
            if let buffer = valueOf[output.name] {
                buffers[buffer].last = times.loss
                if differentiated.contains(output.name) {
                    gradientOf[output.name] = try add(output.name, at: times.loss)
                }
            }
        }
        for (index, node) in network.nodes.enumerated().reversed() where differentiates(node) {
            for name in node.valuesForGradient(differentiates: differentiated.contains) {
                if let buffer = valueOf[name] {
                    buffers[buffer].last = max(buffers[buffer].last, times.backward(index))
                }
            }
            for case let name? in node.inputs where differentiated.contains(name) && valueOf[name] != nil {
                if gradientOf[name] == nil { gradientOf[name] = try add(name, at: times.backward(index)) }
            }
            for case let name? in node.outputs {
                if let buffer = gradientOf[name] { buffers[buffer].last = times.backward(index) }
            }
        }
        let packing = BufferPacking(buffers)
        let arena = try Arena(byteCount: packing.byteCount)
        func memory(_ buffer: Int) -> UnsafeMutablePointer<Float> {
            (arena.base + packing.offsets[buffer]).assumingMemoryBound(to: Float.self)
        }
        for (name, buffer) in valueOf {
            operands[name] = Operand(base: memory(buffer), extents: try extents(of: name))
        }
        for (name, buffer) in gradientOf { gradients[name] = memory(buffer) }
        return arena
    }

    private func differentiates(_ node: Node) -> Bool {
        node.outputs.contains { $0.map(differentiated.contains) ?? false }
    }

    private func extents(of name: String) throws -> [Int] {
        guard let type = types[name] else { throw NetworkError.undefinedValue(name: name, user: "the plan") }
        let node = network.nodes.first { $0.outputs.contains(name) }?.label ?? "of '\(name)'"
        guard type.elementType == .float32 else {
            throw NetworkError.unsupported(node: node, reason: "training with \(type.elementType); only float32 is")
        }
        guard let shape = try type.shape() else {
            throw NetworkError.unsupported(
                node: node, reason: "the shape of '\(name)', \(type), depends on values known only when it runs")
        }
        return shape.extents
    }

    // MARK: What steps are made from

    private mutating func operand(named name: String) throws -> Operand {
        if let operand = operands[name] { return operand }
        if let value = store.value(of: name) { return Operand(base: value, extents: try extents(of: name)) }
        guard let tensor = network.constants[name] else {
            throw NetworkError.undefinedValue(name: name, user: "the plan")
        }
        let extents = try extents(of: name)
        constants.append(tensor)
        // Read only: nobody writes to a constant that is not a parameter.
        let base = tensor.withView { UnsafeMutablePointer(mutating: $0.base.assumingMemoryBound(to: Float.self)) }
        let operand = Operand(base: base, extents: extents)
        operands[name] = operand
        return operand
    }

    /// An input of a node.
    mutating func input(_ node: Node, _ index: Int) throws -> Operand {
        guard let operand = try optionalInput(node, index) else {
            throw NetworkError.invalidNode(node: node.label, reason: "input \(index) is missing")
        }
        return operand
    }

    /// An input of a node that may be left out.
    mutating func optionalInput(_ node: Node, _ index: Int) throws -> Operand? {
        try node.input(index).map { try operand(named: $0) }
    }

    /// The first output of a node.
    func output(_ node: Node, _ index: Int = 0) throws -> Operand {
        guard index < node.outputs.count, let name = node.outputs[index], let operand = operands[name] else {
            throw NetworkError.invalidNode(node: node.label, reason: "output \(index) is missing")
        }
        return operand
    }

    /// The gradient by an output of a node.
    func gradient(_ node: Node, _ index: Int = 0) -> UnsafeMutablePointer<Float>? {
        index < node.outputs.count ? node.outputs[index].flatMap { gradients[$0] } : nil
    }

    /// Where the gradient by an input goes, `nil` if it has none. To be asked in the order in which the step writes.
    mutating func target(_ node: Node, _ index: Int) -> GradientTarget? {
        guard let name = node.input(index), differentiated.contains(name),
            let base = gradients[name] ?? store.gradient(of: name)
        else { return nil }
        return GradientTarget(base: base, accumulates: !begun.insert(name).inserted)
    }

    /// A constant tensor of a node.
    func constant(_ node: Node, _ index: Int) -> Tensor? { node.input(index).flatMap { network.constants[$0] } }
}
