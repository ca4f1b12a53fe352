import MartletNetworks
import MartletTensors

/// Which values of a network share a buffer, and when each buffer is in use.
///
/// Step -1 is the feeding of inputs, step `nodes.count` the collection of outputs.
struct ValueLayout {
    /// The buffers.
    private(set) var buffers: [BufferPacking.Buffer] = []
    /// The buffer of each value that is not a constant.
    private(set) var bufferOfValue: [String: Int] = [:]

    /// Lays out the values of a network of these types; with `sharing` false each has a buffer of its own, unless it is a
    /// part of another value (`wholes`).
    init(
        _ network: Network, types: [String: TensorType], layouts: [String: BlockedLayout] = [:],
        wholes: [String: String] = [:], sharing: Bool = true, bytes: (String) throws -> Int
    ) throws {
        // Which values are other names for the same bytes.
        var roots: [String: String] = [:]
        for input in network.inputs { roots[input.name] = input.name }
        for node in network.nodes {
            for (index, output) in node.outputs.enumerated() {
                guard let output else { continue }
                roots[output] = wholes[output] ?? output
                if sharing, index == 0, node.operation.keepsBytes, let input = node.input(0), let root = roots[input],
                    layouts[input] == nil, layouts[output] == nil
                {
                    roots[output] = root
                }
            }
        }
        var lifetimes: [String: BufferPacking.Buffer] = [:]
        func use(_ value: String, at step: Int) throws {
            guard let root = roots[value] else { return }
            var lifetime = try lifetimes[root] ?? BufferPacking.Buffer(bytes: bytes(root), first: step, last: step)
            lifetime.last = max(lifetime.last, step)
            lifetimes[root] = lifetime
        }
        for input in network.inputs { try use(input.name, at: -1) }
        for (step, node) in network.nodes.enumerated() {
            for case let value? in node.inputs + node.outputs { try use(value, at: step) }
        }
        for output in network.outputs { try use(output.name, at: network.nodes.count) }

        // In place: the result takes over the buffer of an input that nobody reads any more.
        var heirs: [String: String] = [:]
        func owner(_ value: String) -> String? {
            guard var root = roots[value] else { return nil }
            while let next = heirs[root] { root = next }
            return root
        }
        for (step, node) in network.nodes.enumerated() where sharing {
            guard let output = node.outputs.first, let output, roots[output] == output else { continue }
            for index in node.operation.inputsItMayOverwrite(onBlocks: layouts[output] != nil) {
                guard let input = node.input(index), types[input] == types[output], layouts[input] == layouts[output],
                    wholes[input] == nil, let heir = owner(input), let own = lifetimes[heir],
                    let new = lifetimes[output], own.last == step,
                    // What is read around the pixel that is written must be other memory.
                    !node.operation.readsNeighbours || node.input(0).flatMap(owner) != heir
                else { continue }
                heirs[output] = heir
                lifetimes[heir]?.last = new.last
                lifetimes[output] = nil
                break
            }
        }
        var indices: [String: Int] = [:]
        for value in roots.keys.sorted() {
            guard let owner = owner(value) else { continue }
            if indices[owner] == nil, let lifetime = lifetimes[owner] {
                indices[owner] = buffers.count
                buffers.append(lifetime)
            }
            bufferOfValue[value] = indices[owner]
        }
    }
}

extension Operator {
    /// Whether the first output has the bytes of the first input, so that it can be the same memory.
    var keepsBytes: Bool {
        switch self {
        case .reshape, .flatten, .squeeze, .unsqueeze, .identity, .dropout: true
        default: false
        }
    }

    /// Whether a pixel of the result depends on other pixels of the first input.
    fileprivate var readsNeighbours: Bool { if case .convolution = self { true } else { false } }

    /// Whether it joins values.
    var isConcatenation: Bool { if case .concat = self { true } else { false } }

    /// The inputs over which the result may be written, if type and shape are the same.
    ///
    /// Another operand may be a view of the same bytes: it then has as many elements, so nothing is broadcast, and each
    /// is read before it is written.
    fileprivate func inputsItMayOverwrite(onBlocks: Bool) -> Range<Int> {
        switch self {
        // On blocks each pixel's addend is read before the pixel is written.
        case .convolution(let convolution): onBlocks && convolution.addsResidual ? 3..<4 : 0..<0
        case .activation, .clip, .softmax, .batchNormalization: 0..<1
        case .arithmetic: 0..<2
        default: 0..<0
        }
    }
}
