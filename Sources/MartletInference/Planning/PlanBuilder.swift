import MartletLinearAlgebra
import MartletNetworks
import MartletTensors

/// Makes the plan of a network for inputs of certain shapes.
struct PlanBuilder {
    private let inputShapes: [Shape]
    private let inputValues: [String: Tensor]
    private var network: Network
    /// What the outputs are called; the values that hold them may have other names.
    private let outputNames: [String]
    private let types: [String: TensorType]
    /// Which values lie in blocks of channels.
    private var assignment: LayoutAssignment?
    /// Chooses the algorithms of convolutions on blocks.
    var choice: ConvolutionChoice? { assignment?.choice }
    /// The same of layers on bytes.
    var choiceOnBytes: QuantizedConvolutionChoice? { assignment?.choiceOnBytes }
    /// The vector kernels, `nil` to do without them.
    let kernels: KernelSet?
    private var blockedValues: [String: BlockedValue] = [:]
    private var byteValues: [String: ByteBlocks] = [:]
    let options: Executor.Options
    /// The threads that will run the plan.
    let workers: Int
    /// Constants that do not come from folding, which may come out differently for other shapes.
    private let sharedConstants: Set<String>
    /// Weights held in half precision, which layers read as they are.
    private let halfWeights: Set<String>
    /// Weights brought to another layout, shared by all plans.
    private(set) var weights: PreparedWeights
    private var views: [String: TensorView] = [:]
    private var mutableViews: [String: MutableTensorView] = [:]
    /// Constants that steps point into.
    private let kept = KeptConstants()
    /// The network's only input, where its only reader can do without a copy.
    private var borrowed: BorrowedInput?
    /// Whether a constant is let go of once the last node that reads it has its step.
    private let releasesConstants: Bool

    /// A builder; with `releasesConstants` and nobody else holding the network's constants, what is packed for the kernels
    /// is freed constant by constant.
    init(
        network: consuming Network, shapes: [Shape], values: [String: Tensor], options: Executor.Options, workers: Int,
        weights: PreparedWeights, releasesConstants: Bool = false
    ) throws {
        let named = Dictionary(uniqueKeysWithValues: zip(network.inputs.map(\.name), shapes))
        if options.joinsFilters { try network.joinDepthwiseFilters() }
        let given = Set(network.constants.keys)
        var typed = try network.specialized(to: named, values: values)
        if options.fuses { typed.network.fuse(types: typed.types) }
        let kernels =
            options.usesBlocks ? try options.instructionSet.map { KernelSet($0) } ?? KernelSet.best() : nil
        var quantized = QuantizedNetwork(typed, contracts: options.fuses && options.usesBlocks) {
            guard let kernels else { return false }
            return QuantizedConvolutionChoice.isSlow($0, input: $1, output: $2, kernels: kernels)
        }
        _ = consume typed
        sharedConstants = try given.union(quantized.foldConstants(given))
        halfWeights = quantized.network.readHalfWeights(types: &quantized.types)
        self.inputShapes = shapes
        self.inputValues = values
        self.kernels = kernels
        assignment = try kernels.map { try LayoutAssignment(quantized, kernels: $0, options: options) }
        outputNames = quantized.network.outputs.map(\.name)
        self.network = assignment?.takeNetwork() ?? quantized.network
        self.types = assignment?.types ?? quantized.types
        self.releasesConstants = releasesConstants
        self.options = options
        self.workers = workers
        self.weights = weights
    }

    mutating func build() throws -> Plan {
        let arena = try layOut()
        var entries: [Plan.Entry] = []
        var lastReaders: [String: Int] = [:]
        for (index, node) in network.nodes.enumerated() {
            for case let name? in node.inputs { lastReaders[name] = index }
        }
        for (index, node) in network.nodes.enumerated() {
            defer {
                if releasesConstants {
                    for case let name? in node.inputs where lastReaders[name] == index { network.constants[name] = nil }
                }
            }
            if let value = node.outputs.first.flatMap({ $0 }).flatMap({ blockedValues[$0] }),
                !value.layout.border.isEmpty, let kernels, !node.operation.isConcatenation
            {
                entries.append(Plan.Entry(step: BorderStep(y: value, kernels: kernels), node: index))
            }
            if let value = bytes(node.outputs.first.flatMap { $0 }), !value.layout.border.isEmpty,
                !node.operation.isConcatenation
            {
                entries.append(Plan.Entry(step: ByteBorderStep(y: value), node: index))
            }
            guard let step = try stepOfAnyLayout(node) else { continue }
            entries.append(Plan.Entry(step: step, node: index, layer: try layer(node)))
        }
        let outputs = try zip(outputNames, network.outputs).map { (name: $0, view: try view($1.name)) }
        let inputs = try network.inputs.map { try mutableView($0.name) }
        return try Plan(
            inputShapes: inputShapes, inputValues: inputValues, inputs: inputs, outputs: outputs,
            network: TypedNetwork(network: network, types: types), entries: entries, arena: arena,
            constants: kept.tensors, borrowed: borrowed, workers: workers)
    }

    /// The algorithm for a node, wherever its values lie; `nil` if there is nothing to do.
    private mutating func stepOfAnyLayout(_ node: Node) throws -> (any Step)? {
        let values = [node.input(0), node.outputs.first.flatMap { $0 }]
        if values.contains(where: { bytes($0) != nil }) { return try quantizedStep(node) }
        return try values.contains { blocked($0) != nil } ? blockedStep(node) : step(node)
    }

    /// Gives every value its memory.
    private mutating func layOut() throws -> Arena {
        let layouts = assignment?.layouts ?? [:]
        let parts = assignment?.parts ?? [:]
        let layout = try ValueLayout(
            network, types: types, layouts: layouts, wholes: parts.mapValues(\.whole), sharing: options.reusesMemory
        ) { name in
            if let blocked = layouts[name] { return blocked.byteCount }
            let shape = try shape(of: name)
            return shape.elementCount * (types[name]?.elementType ?? .float32).byteCount
        }
        let packing = BufferPacking(layout.buffers, reuse: options.reusesMemory)
        let arena = try Arena(byteCount: packing.byteCount)
        for (name, buffer) in layout.bufferOfValue {
            guard let type = types[name] else { continue }
            if let blocked = layouts[name] {
                let first = (parts[name]?.firstBlock ?? 0) * blocked.blockStride
                if let quantization = assignment?.quantizations[name] {
                    let base = (arena.base + packing.offsets[buffer]).assumingMemoryBound(to: UInt8.self)
                    byteValues[name] = ByteBlocks(base: base + first, layout: blocked, quantization: quantization)
                    continue
                }
                let base = (arena.base + packing.offsets[buffer]).assumingMemoryBound(to: Float.self)
                blockedValues[name] = BlockedValue(base: base + first, layout: blocked)
                continue
            }
            let view = MutableTensorView(
                elementType: type.elementType, shape: try shape(of: name), base: arena.base + packing.offsets[buffer])
            mutableViews[name] = view
            views[name] = TensorView(
                elementType: type.elementType, shape: view.shape, base: UnsafeRawPointer(view.base))
        }
        return arena
    }

    private func shape(of name: String) throws -> Shape {
        guard let type = types[name] else { throw NetworkError.undefinedValue(name: name, user: "the plan") }
        guard let shape = try type.shape() else {
            let producer = network.nodes.first { $0.outputs.contains(name) }
            throw NetworkError.unsupported(
                node: producer?.label ?? "of '\(name)'",
                reason: "the shape of its output '\(name)', \(type), depends on values known only when it runs")
        }
        return shape
    }

    /// What an observer sees of a node.
    private func layer(_ node: Node) throws -> (name: String, input: LayerInput)? {
        switch node.operation {
        case .convolution, .gemm, .matMul:
            guard let weight = node.input(1), network.constants[weight] != nil, let input = node.input(0) else {
                return nil
            }
            if bytes(input) != nil || node.outputs.first.flatMap({ $0 }).flatMap({ product($0) }) != nil { return nil }
            if let value = blockedValues[input], let kernels {
                return value.layout.fold == nil ? (node.name, .blocks(value, kernels)) : nil
            }
            return (node.name, .planes(try view(input)))
        case .identity:
            // A folded image is shown before it is folded, in the place of the one layer that reads it.
            guard let output = node.outputs.first.flatMap({ $0 }), blockedValues[output]?.layout.fold != nil,
                let reader = network.nodes.first(where: { $0.input(0) == output })
            else { return nil }
            return (reader.name, .planes(try floats(node, 0)))
        default: return nil
        }
    }

    // MARK: Values in blocks

    /// A value in blocks.
    func blocked(_ name: String?) -> BlockedValue? { name.flatMap { blockedValues[$0] } }

    /// A value of bytes in blocks.
    func bytes(_ name: String?) -> ByteBlocks? { name.flatMap { byteValues[$0] } }

    /// What the node does not say of the layer on bytes that makes a value.
    func layer(_ name: String) -> QuantizedLayer? { assignment?.layers[name] }

    /// The same of a product of bytes that makes floats.
    func product(_ name: String) -> QuantizedProduct? { assignment?.products[name] }

    /// Where the operands of a concatenation lie that are not copied.
    func isPlaced(_ name: String) -> Bool { assignment?.parts[name] != nil }

    /// Weights packed for the kernels, made once for all plans if they are the same in all.
    mutating func packed<Element: TensorElement>(
        _ name: String, as form: String, count: Int, _ fill: (UnsafeMutableBufferPointer<Element>) throws -> Void
    ) throws -> UnsafePointer<Element> {
        var own = PreparedWeights()
        let tensor =
            try sharedConstants.contains(name)
            ? weights.packed(name, as: form, count: count, fill) : own.packed(name, as: form, count: count, fill)
        return kept.view(tensor).base.assumingMemoryBound(to: Element.self)
    }

    /// Weights packed for the kernels on bytes, made once for all plans if they are the same in all.
    ///
    /// - Parameters:
    ///   - offsets: Where the kernels read.
    ///   - fours: How many fours of channels there.
    mutating func packedQuads(
        _ name: String, as form: String, offsets: [Int], fours: ChannelsRead, _ make: () throws -> QuadWeights
    ) throws -> PackedQuads {
        let order = try sharedConstants.contains(name) ? weights.quads(name, as: form, make) : make()
        return try PackedQuads(order, offsets: offsets, fours: fours, in: kept)
    }

    /// The elements of a weight that is held in half precision.
    func held(_ weight: Tensor) -> UnsafePointer<Float16> {
        kept.view(weight).base.assumingMemoryBound(to: Float16.self)
    }

    /// A weight rounded to half precision; `nil` if an element is too large for that.
    mutating func packedHalves(_ name: String, _ weight: Tensor) throws -> UnsafePointer<Float16>? {
        var own = PreparedWeights()
        let tensor =
            try sharedConstants.contains(name) ? weights.halves(name, weight) : own.halves(name, weight)
        guard let tensor else { return nil }
        return kept.view(tensor).base.assumingMemoryBound(to: Float16.self)
    }

    // MARK: What steps are made from

    /// The memory of a value, to read.
    func view(_ name: String) throws -> TensorView {
        if let view = views[name] { return view }
        if let tensor = network.constants[name] {
            return kept.view(halfWeights.contains(name) ? try tensor.converted(to: .float32) : tensor)
        }
        throw NetworkError.undefinedValue(name: name, user: "the plan")
    }

    private func mutableView(_ name: String) throws -> MutableTensorView {
        guard let view = mutableViews[name] else { throw NetworkError.undefinedValue(name: name, user: "the plan") }
        return view
    }

    /// An input of a node that may be left out.
    func optionalInput(_ node: Node, _ index: Int) throws -> TensorView? { try node.input(index).map { try view($0) } }

    /// An input of a node.
    func input(_ node: Node, _ index: Int) throws -> TensorView {
        guard let view = try optionalInput(node, index) else {
            throw NetworkError.invalidNode(node: node.label, reason: "input \(index) is missing")
        }
        return view
    }

    /// An input of a node that must be float32.
    func floats(_ node: Node, _ index: Int) throws -> TensorView {
        let view = try input(node, index)
        try requireFloat(node, view.elementType)
        return view
    }

    /// The first input of a node that reads it in rows of pixels; the caller's tensor if nobody else reads it.
    mutating func planarInput(_ node: Node) throws -> PlanarInput {
        let view = try floats(node, 0)
        guard network.inputs.count == 1, let name = node.input(0), network.inputs[0].name == name,
            network.useCounts()[name] == 1
        else { return PlanarInput(view.floats) }
        let input = BorrowedInput()
        borrowed = input
        return PlanarInput(view.floats, borrowed: input)
    }

    /// An optional input of a node that must be float32.
    func optionalFloats(_ node: Node, _ index: Int) throws -> TensorView? {
        try node.input(index) == nil ? nil : floats(node, index)
    }

    /// The first output of a node.
    func output(_ node: Node) throws -> MutableTensorView {
        guard let name = node.outputs.first, let name else {
            throw NetworkError.invalidNode(node: node.label, reason: "it has no output")
        }
        return try mutableView(name)
    }

    /// All outputs of a node, `nil` for those left out.
    func outputs(_ node: Node) throws -> [MutableTensorView?] {
        try node.outputs.map { try $0.map { try mutableView($0) } }
    }

    /// Whether a value is a constant; a weight may be one in half precision.
    func constant(_ node: Node, _ index: Int) -> (name: String, tensor: Tensor)? {
        guard let name = node.input(index), let tensor = network.constants[name] else { return nil }
        return (name, tensor)
    }

    /// A constant matrix with its rows and columns exchanged, made once for all plans if it is the same in all.
    mutating func transposed(_ name: String, _ tensor: Tensor) throws -> TensorView {
        var own = PreparedWeights()
        let result =
            try sharedConstants.contains(name)
            ? weights.transposed(name, tensor) : own.transposed(name, tensor)
        return kept.view(result)
    }

    func requireFloat(_ node: Node, _ type: ElementType) throws {
        if type != .float32 {
            throw NetworkError.unsupported(
                node: node.label, reason: "\(node.operation.kind) of \(type); Martlet computes it in float32 only")
        }
    }

    /// Products go through a BLAS that counts in 32 bits.
    func requireCountable(_ node: Node, _ extents: [Int]) throws {
        if let extent = extents.first(where: { $0 > BLAS.maximumExtent }) {
            throw NetworkError.unsupported(node: node.label, reason: "an extent of \(extent)")
        }
    }
}

/// The constants that a plan's steps point into.
final class KeptConstants {
    private(set) var tensors: [Tensor] = []

    /// A tensor's memory, which stays where it is: the plan keeps the tensor and nobody writes to it.
    func view(_ tensor: Tensor) -> TensorView {
        tensors.append(tensor)
        return tensor.withView { $0 }
    }
}
