import MartletNetworks
import MartletParallelism
import MartletTensors

/// A network made ready for inputs of certain shapes: steps over memory that is laid out in advance.
///
/// Used by one thread at a time, which the executor's lock sees to; that is what makes it safe to send.
final class Plan: @unchecked Sendable {
    /// A step, and what an observer sees of it.
    struct Entry {
        var step: any Step
        /// The node it belongs to.
        var node: Int
        var layer: (name: String, input: LayerInput)?
    }

    let inputShapes: [Shape]
    /// The values of the inputs that shapes depend on.
    let inputValues: [String: Tensor]
    private let inputs: [MutableTensorView]
    private let outputs: [(name: String, view: TensorView)]
    /// The network as the steps see it: fused, and with conversions between layouts.
    let network: TypedNetwork
    let entries: [Entry]
    private let arena: Arena
    private let scratch: Arena
    private let sharedBytes: Int
    private let scratchStride: Int
    /// Constants that steps point into.
    private let constants: [Tensor]
    /// Where the first step looks for the network's only input, if it need not be copied.
    private let borrowed: BorrowedInput?

    init(
        inputShapes: [Shape], inputValues: [String: Tensor], inputs: [MutableTensorView],
        outputs: [(name: String, view: TensorView)], network: TypedNetwork, entries: [Entry], arena: Arena,
        constants: [Tensor], borrowed: BorrowedInput?, workers: Int
    ) throws {
        self.inputShapes = inputShapes
        self.inputValues = inputValues
        self.inputs = inputs
        self.outputs = outputs
        self.network = network
        self.entries = entries
        self.arena = arena
        self.constants = constants
        self.borrowed = borrowed
        sharedBytes = Arena.padded(entries.map(\.step.sharedBytes).max() ?? 0)
        scratchStride = Arena.padded(entries.map(\.step.scratchBytes).max() ?? 0)
        let all = try CheckedArithmetic.product([scratchStride, workers])
        scratch = try Arena(byteCount: CheckedArithmetic.sum([sharedBytes, all]))
    }

    /// The bytes of memory the plan holds.
    var peakBytes: Int { arena.byteCount + scratch.byteCount }

    /// Memory for what observers are shown, kept from layer to layer and from run to run: the system would have to clear new
    /// memory each time, which takes longer than the copy.
    private var copies: Arena?

    private func copyMemory() throws -> UnsafeMutableRawPointer {
        if let copies { return copies.base }
        let memory = try Arena(byteCount: entries.map { $0.layer?.input.copiedBytes ?? 0 }.max() ?? 0)
        copies = memory
        return memory.base
    }

    /// Runs the steps on inputs of the plan's types and shapes; `finished` is told after each step which it was.
    func run(
        _ tensors: [Tensor], pool: ThreadPool, observer: Observer? = nil, finished: ((_ entry: Int) -> Void)? = nil
    ) throws -> [String: Tensor] {
        if let borrowed, observer == nil {
            try tensors[0].withUnsafeBytes { try runSteps(on: $0, lentTo: borrowed, pool: pool, finished: finished) }
        } else {
            for (tensor, input) in zip(tensors, inputs) {
                tensor.withUnsafeBytes { input.bytes.copyMemory(from: $0) }
            }
            try runSteps(pool: pool, observer: observer, finished: finished)
        }
        var results: [String: Tensor] = [:]
        for (name, view) in outputs {
            results[name] = try Tensor(elementType: view.elementType, shape: view.shape, bytes: view.bytes)
        }
        return results
    }

    /// Runs the steps of a plan for one image on an image of its only input, given as its bytes; `collect` is shown the
    /// results, in the order of the network's outputs.
    func run(image: UnsafeRawBufferPointer, pool: ThreadPool, collect: (_ output: Int, TensorView) -> Void) throws {
        if let borrowed {
            try runSteps(on: image, lentTo: borrowed, pool: pool)
        } else {
            inputs[0].bytes.copyMemory(from: image)
            try runSteps(pool: pool)
        }
        for (index, output) in outputs.enumerated() { collect(index, output.view) }
    }

    /// The names and types of the results.
    var outputTypes: [(name: String, elementType: ElementType, shape: Shape)] {
        outputs.map { ($0.name, $0.view.elementType, $0.view.shape) }
    }

    private func runSteps(
        on input: UnsafeRawBufferPointer, lentTo borrowed: BorrowedInput, pool: ThreadPool,
        finished: ((_ entry: Int) -> Void)? = nil
    ) throws {
        borrowed.base = input.baseAddress
        defer { borrowed.base = nil }
        try runSteps(pool: pool, finished: finished)
    }

    private func runSteps(
        pool: ThreadPool, observer: Observer? = nil, finished: ((_ entry: Int) -> Void)? = nil
    ) throws {
        let context = StepContext(
            pool: pool, shared: scratch.base, scratch: scratch.base + sharedBytes, scratchStride: scratchStride)
        for (index, entry) in entries.enumerated() {
            if let observer, let layer = entry.layer, observer.wants(layer.name) {
                try layer.input.show(to: observer, of: layer.name, context, memory: copyMemory)
            }
            try entry.step.run(context)
            finished?(index)
        }
    }
}
