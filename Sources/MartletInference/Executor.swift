import MartletNetworks
import MartletParallelism
import MartletTensors
import Synchronization

/// Runs a network in single precision.
///
/// The first run with inputs of new shapes makes a plan for them (types, fusion, the algorithm of every node, one piece
/// of memory for all intermediate values); later runs with the same shapes use it again. Results are the same to the
/// bit for any number of threads, and each image's result is the same whatever batch it is in.
///
/// Runs of one executor take turns, whatever threads they come from; make one executor for each to run side by side.
public final class Executor: Sendable {
    /// What may be chosen about execution.
    public struct Options: Sendable {
        /// Whether residual additions and activations are drawn into the layer before them. Without, a sum may round
        /// differently.
        public var fuses = true
        /// Whether depthwise convolutions that follow each other along different axes run as one
        /// (``Network/joinDepthwiseFilters()``). An observer then sees one layer where the network has two.
        public var joinsFilters = true
        /// Whether images are laid out in blocks of channels and run through the vector kernels; without, convolutions
        /// go through BLAS. The two differ by rounding.
        public var usesBlocks = true
        /// What the vector kernels are built for; the best this machine has, or what `MARTLET_ISA` names, unless told.
        public var instructionSet: InstructionSet?
        /// Whether intermediate values that do not live at the same time share memory.
        public var reusesMemory = true
        /// Whether a batch is run image by image where the network allows it; without, layer by layer.
        public var runsImagesApart = true
        /// Whether weights of fully connected layers are rounded to half precision, where the processor widens them in
        /// passing (AVX2 and newer): half the memory, and for one image half the time, of layers that wait for their
        /// weights. Each weight changes by at most one part in 2,048.
        public var halvesLinearWeights = false
        /// Algorithms of convolutions that were found by measuring, in place of those chosen by cost.
        public var tuning: Tuning?
        /// The algorithm to use wherever it can be, to measure it.
        var prefers: ConvolutionAlgorithm?
        /// The number of plans kept, for as many sets of input shapes; at least one.
        public var planLimit = 3

        /// The defaults.
        public init() {}

        /// The defaults, but for what would hide a layer from an observer.
        public static var showingLayers: Options {
            var options = Options()
            options.joinsFilters = false
            return options
        }
    }

    /// The network that runs, its nodes in execution order under their layer names (``Network/layerNames``).
    public let network: Network
    /// The threads that share the work.
    public let pool: ThreadPool
    private let options: Options
    /// The only inputs it takes, in the network's order; `nil` for any that the network takes.
    private let fixedShapes: [Shape]?
    private let state: Mutex<State>
    /// Whether images of a batch can be run one by one.
    private let treatsImagesAlone: Bool

    private struct State {
        // Most recently used first.
        var plans: [Plan] = []
        // Plans for one image, one for each thread.
        var imagePlans: [Plan] = []
        var weights = PreparedWeights()
    }

    /// An executor of a network.
    /// - Throws: ``NetworkError`` if the network is not whole. What it does not support it says when it first plans.
    public init(network: Network, pool: ThreadPool = ThreadPool(), options: Options = Options()) throws {
        var network = try network.validated()
        // Fusion moves nodes and renames their outputs; a name of its own follows each node through it.
        network.nameNodes()
        self.network = network
        // What the types contradict is said when a plan is made.
        treatsImagesAlone = Executor.treatsImagesAlone(network)
        self.pool = pool
        self.options = options
        fixedShapes = nil
        self.state = Mutex(State())
    }

    /// An executor for inputs of these shapes alone, which takes less memory: its plan is made at once, and of each
    /// constant only the form stays that the steps read. ``network`` is left without its constants.
    ///
    /// Constants are freed one after the other if the caller keeps no copy of the network.
    /// - Parameter inputs: One tensor for each input of the network, by name. What counts is their shapes, and the values of
    ///   those that can say how large something is.
    /// - Throws: ``NetworkError``.
    public init(
        network whole: consuming Network, fixedTo inputs: [String: Tensor], pool: ThreadPool = ThreadPool(),
        options: Options = Options()
    ) throws {
        var network = try whole.validated()
        _ = consume whole
        network.nameNodes()
        let tensors = try Executor.checked(inputs, for: network)
        let values = Executor.shapeValues(tensors, for: network)
        let ordered = tensors.map(\.shape)
        treatsImagesAlone = Executor.treatsImagesAlone(network)
        let runsImagesApart = Executor.runsImageByImage(
            ordered, of: network, treatsImagesAlone: treatsImagesAlone, options: options, pool: pool)
        let planned = try runsImagesApart ? ordered.map { try Shape([1] + $0.extents.dropFirst()) } : ordered
        let workers = runsImagesApart ? 1 : pool.threadCount
        let count = runsImagesApart ? pool.threadCount : 1
        var state = State()
        var plans: [Plan] = []
        var skeleton = network
        skeleton.constants = [:]
        for _ in 1..<count {
            var builder = try PlanBuilder(
                network: network, shapes: planned, values: values, options: options, workers: workers,
                weights: state.weights)
            plans.append(try builder.build())
            state.weights = builder.weights
        }
        // The last to need them.
        var builder = try PlanBuilder(
            network: consume network, shapes: planned, values: values, options: options, workers: workers,
            weights: state.weights, releasesConstants: true)
        plans.append(try builder.build())
        if runsImagesApart { state.imagePlans = plans } else { state.plans = plans }
        state.weights = PreparedWeights()
        self.network = skeleton
        self.pool = pool
        self.options = options
        fixedShapes = ordered
        self.state = Mutex(state)
    }

    /// Computes the network's outputs.
    ///
    /// - Parameters:
    ///   - inputs: One tensor for each input of the network, by name.
    ///   - observer: Is shown what goes into each layer, on the calling thread. It must not call this executor.
    /// - Throws: ``NetworkError/inputMismatch(name:expected:found:)`` for inputs the network does not take,
    ///   ``NetworkError`` for what is wrong with it or not supported, and whatever the observer throws.
    public func run(_ inputs: [String: Tensor], observing observer: Observer? = nil) throws -> [String: Tensor] {
        let tensors = try Executor.checked(inputs, for: network)
        return try state.withLock { state in
            if observer == nil, runsImageByImage(tensors.map(\.shape)) {
                return try ImageByImage(try imagePlans(for: tensors[0].shape, in: &state), pool: pool).run(tensors[0])
            }
            let plan = try plan(
                for: tensors.map(\.shape), values: Executor.shapeValues(tensors, for: network), in: &state)
            return try plan.run(tensors, pool: pool, observer: observer)
        }
    }

    /// The bytes of memory that running the network on inputs of these shapes takes for intermediate values and
    /// scratch, its constants not counted.
    /// - Throws: ``NetworkError``.
    public func peakBytes(_ shapes: [String: Shape]) throws -> Int {
        let ordered = try network.inputs.map { input in
            guard let shape = shapes[input.name] else {
                throw NetworkError.inputMismatch(name: input.name, expected: "\(input.type)", found: "missing")
            }
            return shape
        }
        return try state.withLock { state in
            if runsImageByImage(ordered) {
                return try imagePlans(for: ordered[0], in: &state).reduce(0) { $0 + $1.peakBytes }
            }
            return try plan(for: ordered, values: [:], in: &state).peakBytes
        }
    }

    /// Whether images of a batch can be run one by one.
    private static func treatsImagesAlone(_ network: Network) -> Bool {
        guard var typed = try? network.folded() else { return false }
        _ = typed.network.readHalfWeights(types: &typed.types)
        return typed.treatsImagesAlone
    }

    /// Whether a batch is run image by image, each thread its own: an image's values stay in its core's cache, and threads
    /// meet only at the end.
    private static func runsImageByImage(
        _ shapes: [Shape], of network: Network, treatsImagesAlone: Bool, options: Options, pool: ThreadPool
    ) -> Bool {
        guard treatsImagesAlone, options.runsImagesApart, let shape = shapes.first, shapes.count == 1 else {
            return false
        }
        // A batch that the network does not take is refused as a whole.
        let dimensions = network.inputs[0].type.dimensions
        return shape.rank == dimensions.count && shape[0] >= max(2, pool.threadCount)
            && zip(shape.extents, dimensions).allSatisfy { $1.value ?? $0 == $0 }
    }

    private func runsImageByImage(_ shapes: [Shape]) -> Bool {
        Executor.runsImageByImage(
            shapes, of: network, treatsImagesAlone: treatsImagesAlone, options: options, pool: pool)
    }

    /// A plan for one image for each thread that can have one to run.
    private func imagePlans(for shape: Shape, in state: inout State) throws -> [Plan] {
        let one = try Shape([1] + shape.extents.dropFirst())
        if state.imagePlans.first?.inputShapes != [one] {
            try requireFree([shape])
            state.imagePlans = []
        }
        while state.imagePlans.count < pool.threadCount {
            var builder = try PlanBuilder(
                network: network, shapes: [one], values: [:], options: options, workers: 1, weights: state.weights)
            state.imagePlans.append(try builder.build())
            state.weights = builder.weights
        }
        return state.imagePlans
    }

    /// Runs the network again and again for `seconds`, at least three times after one run that is not counted, and
    /// takes the time of each node.
    ///
    /// Looking at the clock after each step costs some ten nanoseconds a step; nothing else is different.
    /// - Throws: as ``run(_:observing:)``.
    public func profile(_ inputs: [String: Tensor], seconds: Double) throws -> ExecutionProfile {
        let tensors = try Executor.checked(inputs, for: network)
        return try state.withLock { state in
            let plan = try plan(
                for: tensors.map(\.shape), values: Executor.shapeValues(tensors, for: network), in: &state)
            return try ExecutionProfile(of: plan, on: tensors, pool: pool, seconds: seconds)
        }
    }

    /// How long the layers of each convolution take together, and by which algorithm.
    func convolutionTimes(
        _ inputs: [String: Tensor], seconds: Double
    ) throws -> [(problem: Tuning.Problem, algorithm: ConvolutionAlgorithm, milliseconds: Double)] {
        let profile = try profile(inputs, seconds: seconds)
        let tensors = try Executor.checked(inputs, for: network)
        let typed = try state.withLock { state in
            try plan(for: tensors.map(\.shape), values: Executor.shapeValues(tensors, for: network), in: &state).network
        }
        let nodes = Dictionary(typed.network.nodes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var times: [Tuning.Problem: (ConvolutionAlgorithm, Double)] = [:]
        for measured in profile.nodes {
            guard let algorithm = ConvolutionAlgorithm(title: measured.algorithm), let node = nodes[measured.name],
                let problem = Tuning.Problem.of(node, typed.types)
            else { continue }
            times[problem] = (algorithm, (times[problem]?.1 ?? 0) + measured.milliseconds)
        }
        return times.map { ($0.key, $0.value.0, $0.value.1) }
    }

    /// The inputs that can say how large something is (the `shape` of a reshape, the `axes` of a mean): their values
    /// belong to what a plan is made for, as the shapes do.
    private static func shapeValues(_ tensors: [Tensor], for network: Network) -> [String: Tensor] {
        var values: [String: Tensor] = [:]
        for (input, tensor) in zip(network.inputs, tensors)
        where tensor.elementType == .int64 && tensor.shape.rank <= 1 && tensor.shape.elementCount <= 64 {
            values[input.name] = tensor
        }
        return values
    }

    /// The inputs in the network's order, each there and of its type; their shapes are checked by the plan.
    private static func checked(_ inputs: [String: Tensor], for network: Network) throws -> [Tensor] {
        let tensors = try network.inputs.map { input in
            guard let tensor = inputs[input.name] else {
                throw NetworkError.inputMismatch(name: input.name, expected: "\(input.type)", found: "missing")
            }
            if tensor.elementType != input.type.elementType {
                throw NetworkError.inputMismatch(
                    name: input.name, expected: "\(input.type)",
                    found: "\(TensorType(tensor.elementType, tensor.shape))"
                )
            }
            return tensor
        }
        if inputs.count != tensors.count {
            let names = network.inputs.map(\.name)
            for name in inputs.keys.sorted() where !names.contains(name) {
                throw NetworkError.inputMismatch(
                    name: name, expected: "only \(names.map { "'\($0)'" }.joined(separator: ", "))", found: "given")
            }
        }
        return tensors
    }

    private func plan(for shapes: [Shape], values: [String: Tensor], in state: inout State) throws -> Plan {
        if let index = state.plans.firstIndex(where: { $0.inputShapes == shapes && $0.inputValues == values }) {
            let plan = state.plans.remove(at: index)
            state.plans.insert(plan, at: 0)
            return plan
        }
        try requireFree(shapes)
        // Made room for first: the old plan's memory may be what the new one needs.
        while state.plans.count >= max(1, options.planLimit) { state.plans.removeLast() }
        var builder = try PlanBuilder(
            network: network, shapes: shapes, values: values, options: options, workers: pool.threadCount,
            weights: state.weights)
        let plan = try builder.build()
        state.weights = builder.weights
        state.plans.insert(plan, at: 0)
        return plan
    }

    /// Refuses to plan for other shapes where the constants are gone.
    private func requireFree(_ shapes: [Shape]) throws {
        guard let fixedShapes else { return }
        throw NetworkError.inputMismatch(
            name: network.inputs.map(\.name).joined(separator: ", "),
            expected: fixedShapes.map(\.description).joined(separator: ", "),
            found: shapes.map(\.description).joined(separator: ", "))
    }
}
