import MartletNetworks
import MartletTensors

/// Which values of a network lie in blocks of channels, and where a value is brought from one layout to the other.
///
/// Convolutions, poolings, sums and the like run on blocks; everything else wants rows of pixels. A value that both
/// kinds read is there in both forms: an identity between two values of different layout stands for the conversion.
struct LayoutAssignment {
    /// The network with its conversions; an output that lies in blocks is replaced by its rows of pixels, under another name.
    private(set) var network: Network
    /// The layout of each value that lies in blocks.
    private(set) var layouts: [String: BlockedLayout] = [:]
    /// The types of all values, conversions' included.
    private(set) var types: [String: TensorType]
    /// Values that are parts of a larger one (the operands of a concatenation): the larger one, and the block they begin at.
    private(set) var parts: [String: (whole: String, firstBlock: Int)] = [:]

    /// Pixels; no network in use comes near.
    private static let widestBorder = 1024

    private let lanes: Int
    /// What the values stand for that layers on bytes read or write.
    private(set) var quantizations: [String: ByteQuantization]
    /// The layers on bytes by their outputs.
    let layers: [String: QuantizedLayer]
    /// The products of bytes that make floats, by their outputs.
    let products: [String: QuantizedProduct]
    /// Chooses the algorithms, which say what border their input wants.
    let choice: ConvolutionChoice
    /// The same of layers on bytes.
    let choiceOnBytes: QuantizedConvolutionChoice
    /// Values that layers on bytes read.
    private var readByLayers: Set<String> = []
    /// Values that nodes on blocks read.
    private var readInBlocks: Set<String> = []
    /// Whether the operands of a concatenation are put into its result.
    private let placesParts: Bool

    /// Assigns layouts for the kernels of an instruction set.
    init(_ quantized: QuantizedNetwork, kernels: KernelSet, options: Executor.Options) throws {
        network = quantized.network
        types = quantized.types
        quantizations = quantized.quantizations
        layers = quantized.layers
        products = quantized.products
        lanes = kernels.lanes
        choiceOnBytes = QuantizedConvolutionChoice(
            kernels: QuantizedKernelSet(kernels.instructionSet), preferred: options.prefers)
        // The algorithms are the same whether weights are held in half precision or not.
        let bytes = network.constants.values.reduce(0) { $0 + $1.byteCount * ($1.elementType == .float16 ? 2 : 1) }
        var choice = ConvolutionChoice(lanes: lanes, weightBytes: bytes)
        choice.tuned = options.tuning?.algorithms ?? [:]
        choice.preferred = options.prefers
        self.choice = choice
        placesParts = options.reusesMemory
        readByLayers = Set(network.nodes.filter { layer($0) != nil }.flatMap { $0.inputs.compactMap { $0 } })
        var blocked = Set(network.nodes.indices.filter { runsOnBlocks(network.nodes[$0]) })
        blocked.formUnion(dequantizationsOfBlocks(blocked))
        if blocked.isEmpty { return }
        readInBlocks = Set(
            blocked.flatMap { index in blockedInputs(network.nodes[index]).compactMap { network.nodes[index].input($0) }
            })
        insertConversions(blocked)
        try assignLayouts()
    }

    /// Hands over the network, whose constants nobody else then holds.
    mutating func takeNetwork() -> Network {
        defer { network.constants = [:] }
        return network
    }

    // MARK: Which nodes run on blocks

    /// The extents of a value that could lie in blocks, of floats or of bytes.
    private func extents(_ value: String?) -> [Int]? {
        guard let value, let type = types[value],
            type.elementType == .float32 || quantizations[value] != nil
        else { return nil }
        return type.extents
    }

    private func layer(_ node: Node) -> QuantizedLayer? { node.outputs.first.flatMap { $0 }.flatMap { layers[$0] } }

    /// Whether a value is an image with pixels.
    private func isImage(_ value: String?) -> Bool {
        guard let extents = extents(value), extents.count == 4 else { return false }
        return !extents.contains(0)
    }

    private func runsOnBlocks(_ node: Node) -> Bool {
        if layer(node) != nil { return true }
        if case .quantizeLinear = node.operation {
            // Bytes that nobody computes on may as well be made one by one.
            guard let output = node.outputs.first, let output, quantizations[output] != nil, isImage(output),
                types[node.input(0) ?? ""]?.elementType == .float32
            else { return false }
            return readByLayers.contains(output)
        }
        // Apart from that, bytes are moved in rows of pixels.
        if node.inputs.contains(where: { $0.map { quantizations[$0] != nil } ?? false }) { return false }
        guard isImage(node.input(0)), isImage(node.outputs.first.flatMap { $0 }) else { return false }
        func isConstant(_ index: Int) -> Bool { node.input(index).map { network.constants[$0] != nil } ?? true }
        if let input = node.input(0), network.constants[input] != nil { return false }
        switch node.operation {
        case .convolution(let convolution):
            guard isConstant(1), isConstant(2), let weight = extents(node.input(1)) else { return false }
            if convolution.addsResidual, node.input(3).map({ network.constants[$0] != nil }) ?? true { return false }
            if !LayoutAssignment.hasNarrowBorder(border(node)) { return false }
            // Of grouped convolutions only those of one channel a group have a kernel.
            return convolution.groups == 1 || (weight[1] == 1 && weight[0] == convolution.groups)
        case .maxPool, .averagePool, .localResponseNormalization, .activation, .globalAveragePool:
            return node.outputs.count == 1
        case .arithmetic(.add):
            return extents(node.input(0)) == extents(node.input(1)) && node.input(0) != node.input(1)
                && network.constants[node.input(1) ?? ""] == nil
        case .concat(let axis):
            guard axis == 1 || axis == -3, Set(node.inputs).count == node.inputs.count else { return false }
            return node.inputs.allSatisfy { input in
                guard isImage(input), let input, network.constants[input] == nil else { return false }
                return (extents(input)?[1] ?? 1) % lanes == 0
            }
        default:
            return false
        }
    }

    /// Whether a border is one to have: it is memory, and of a window that hangs over far more than the image is large, a file
    /// could ask for any amount.
    private static func hasNarrowBorder(_ border: BlockedLayout.Border) -> Bool {
        max(border.top + border.bottom, border.left + border.right) <= widestBorder
    }

    /// Whether the border of a direct convolution is one to have.
    static func hasNarrowBorder(_ window: Window, input: [Int], output: [Int]) -> Bool {
        hasNarrowBorder(border(window, input: input, output: output) { ($0 - 1) * window.strides[$1] })
    }

    /// The dequantisations of values that lie in blocks.
    private func dequantizationsOfBlocks(_ blocked: Set<Int>) -> [Int] {
        let made = Set(
            blocked.flatMap { network.nodes[$0].outputs.compactMap { $0 } }.filter { quantizations[$0] != nil })
        return network.nodes.indices.filter { index in
            guard case .dequantizeLinear = network.nodes[index].operation, let input = network.nodes[index].input(0)
            else {
                return false
            }
            return made.contains(input)
        }
    }

    /// The inputs of a node on blocks that are values in blocks, not parameters.
    private func blockedInputs(_ node: Node) -> [Int] {
        switch node.operation {
        case .convolution: node.inputs.count > 3 ? [0, 3] : [0]
        case .arithmetic: [0, 1]
        case .concat: Array(node.inputs.indices)
        default: [0]
        }
    }

    /// Whether a node on blocks leaves rows of pixels: the mean of a channel is one number.
    private func leavesPlanes(_ node: Node) -> Bool {
        switch node.operation {
        case .globalAveragePool: layer(node) == nil
        case .dequantizeLinear: !(node.outputs.first.flatMap { $0 }.map { readInBlocks.contains($0) } ?? false)
        default: false
        }
    }

    // MARK: Conversions

    private mutating func insertConversions(_ blocked: Set<Int>) {
        var isBlocked: Set<String> = []
        for index in blocked where !leavesPlanes(network.nodes[index]) {
            for case let output? in network.nodes[index].outputs { isBlocked.insert(output) }
        }
        var names = UnusedNames(taken: Set(types.keys))
        var nodes: [Node] = []
        /// The other form of a value, once there is one.
        var converted: [String: String] = [:]
        func other(_ value: String, _ node: inout [Node]) -> String {
            if let name = converted[value] { return name }
            let name = names.take("\(value).\(isBlocked.contains(value) ? "planes" : "blocks")")
            converted[value] = name
            types[name] = types[value]
            quantizations[name] = quantizations[value]
            node.append(Node(name: name, operation: .identity, inputs: [value], outputs: [name]))
            return name
        }
        var inBlocks: Set<String> = isBlocked
        for (index, original) in network.nodes.enumerated() {
            var node = original
            var wanted = blocked.contains(index) ? Set(blockedInputs(node)) : []
            // What is quantised may lie either way.
            if case .quantizeLinear = node.operation, !isBlocked.contains(node.input(0) ?? "") { wanted = [] }
            for (position, input) in node.inputs.enumerated() {
                guard let input, network.constants[input] == nil else { continue }
                if wanted.contains(position) == isBlocked.contains(input) { continue }
                let name = other(input, &nodes)
                if wanted.contains(position) { inBlocks.insert(name) }
                node.inputs[position] = name
            }
            nodes.append(node)
        }
        for index in network.outputs.indices where isBlocked.contains(network.outputs[index].name) {
            network.outputs[index].name = other(network.outputs[index].name, &nodes)
        }
        network.nodes = nodes
        blockedValues = inBlocks
    }

    private var blockedValues: Set<String> = []

    // MARK: Layouts

    private mutating func assignLayouts() throws {
        var borders: [String: BlockedLayout.Border] = [:]
        var imageInputs: [String: Bool] = [:]
        for node in network.nodes {
            for (position, input) in node.inputs.enumerated() {
                guard let input, blockedValues.contains(input) else { continue }
                let border = position == 0 ? self.border(node) : .init()
                borders[input] = (borders[input] ?? .init()).union(border)
                // A picture has few channels: only a direct convolution reads those without a whole block.
                var readsFew = false
                if case .convolution(let convolution) = node.operation, convolution.groups == 1, position == 0 {
                    // On bytes the taps of a row are one run.
                    readsFew = quantizations[input] == nil || convolution.window.dilations.last == 1
                }
                imageInputs[input] = (imageInputs[input] ?? true) && readsFew
            }
        }
        var wholes: [String: [(part: String, firstBlock: Int)]] = [:]
        if placesParts { findParts(&wholes) }
        for (whole, members) in wholes {
            var border = borders[whole] ?? .init()
            for member in members { border = border.union(borders[member.part] ?? .init()) }
            borders[whole] = border
            for member in members { borders[member.part] = border }
        }
        let conversions = Set(network.nodes.filter { $0.operation == .identity }.compactMap { $0.outputs.first })
        let quantized = network.nodes.reduce(into: Set<String>()) { found, node in
            if case .quantizeLinear = node.operation, let output = node.outputs.first, let output,
                !blockedValues.contains(node.input(0) ?? "")
            {
                found.insert(output)
            }
        }
        for value in blockedValues {
            guard let extents = extents(value) else { continue }
            if conversions.contains(value), let layout = try foldedLayout(of: value) {
                layouts[value] = layout
                continue
            }
            let isPicture = conversions.contains(value) || quantized.contains(value)
            let isFew = isPicture && extents[1] <= 4 && (imageInputs[value] ?? false)
            let few = quantizations[value] == nil ? 4 : extents[1]
            layouts[value] = try BlockedLayout(
                extents, lanes: isFew ? few : lanesOfBlock(value), border: borders[value] ?? .init(),
                elementBytes: quantizations[value] == nil ? MemoryLayout<Float>.stride : 1)
        }
        for (part, place) in parts {
            if let stride = layouts[place.whole]?.imageStride { layouts[part]?.imageStride = stride }
        }
    }

    /// Channels of a block of a value.
    private func lanesOfBlock(_ value: String) -> Int {
        quantizations[value] == nil ? lanes : QuantizedKernelSet.channelsOfBlock
    }

    /// The layout of a picture that a single convolution reads folded.
    private func foldedLayout(of value: String) throws -> BlockedLayout? {
        let readers = network.nodes.filter { $0.inputs.contains(value) }
        guard readers.count == 1, quantizations[value] == nil,
            case .convolution(let convolution) = readers[0].operation,
            readers[0].inputs.dropFirst().allSatisfy({ $0 != value }), let input = extents(value),
            let output = extents(readers[0].outputs.first.flatMap { $0 }),
            let (fold, tile) = choice.fold(for: convolution, input: input, output: output)
        else { return nil }
        let overhang = output[2...].map { ($0 + tile.size - 1) / tile.size * tile.size - $0 }
        var layout = try BlockedLayout(
            [input[0], fold.foldedChannels, output[2] + fold.taps - 1, output[3] + fold.taps - 1], lanes: lanes,
            border: .init(bottom: overhang[0], right: overhang[1]))
        layout.fold = fold
        return layout
    }

    /// The operands of concatenations that can lie in the result from the beginning: each is produced by a node on blocks,
    /// and is a part of one result only.
    private mutating func findParts(_ wholes: inout [String: [(part: String, firstBlock: Int)]]) {
        var producers: Set<String> = []
        for node in network.nodes where node.operation != .identity {
            // The result of a concatenation may itself be a part; that is left to copying.
            if case .concat = node.operation { continue }
            if let output = node.outputs.first, let output, blockedValues.contains(output) { producers.insert(output) }
        }
        for node in network.nodes {
            guard case .concat = node.operation, let whole = node.outputs.first, let whole,
                blockedValues.contains(whole)
            else { continue }
            var firstBlock = 0
            for case let input? in node.inputs {
                let blocks = (extents(input)?[1] ?? 0) / lanesOfBlock(whole)
                if producers.contains(input), parts[input] == nil {
                    parts[input] = (whole, firstBlock)
                    wholes[whole, default: []].append((input, firstBlock))
                }
                firstBlock += blocks
            }
        }
    }

    /// The border that a node wants around its first input.
    private func border(_ node: Node) -> BlockedLayout.Border {
        guard case .convolution(let convolution) = node.operation, let input = extents(node.input(0)),
            let output = extents(node.outputs.first.flatMap { $0 })
        else { return .init() }
        let window = convolution.window
        var tile: WinogradTile?
        let algorithm =
            layer(node) == nil
            ? choice.algorithm(for: convolution, input: input, output: output)
            : choiceOnBytes.algorithm(for: convolution, input: input, output: output)
        if case .winograd(let chosen) = algorithm { tile = chosen }
        return LayoutAssignment.border(window, input: input, output: output) { extent, axis in
            (tile.map { (extent + $0.size - 1) / $0.size * $0.size - 1 } ?? extent - 1) * window.strides[axis]
        }
    }

    /// The border for windows of which the last begins `reach` of the output's extent after the first.
    private static func border(
        _ window: Window, input: [Int], output: [Int], reach: (_ extent: Int, _ axis: Int) -> Int
    ) -> BlockedLayout.Border {
        func axis(_ axis: Int) -> (before: Int, after: Int) {
            let before = window.border(axis: axis, extent: input[2 + axis]).before
            let span = window.dilations[axis] * (window.kernel[axis] - 1)
            return (before, max(0, reach(output[2 + axis], axis) + span + 1 - before - input[2 + axis]))
        }
        let (rows, columns) = (axis(0), axis(1))
        return .init(top: rows.before, left: columns.before, bottom: rows.after, right: columns.after)
    }
}
