import MartletNetworks
import MartletParallelism
import MartletTensors

/// A network that runs forward and backward over batches, in single precision, with its parameters in one piece of memory.
///
/// Batch normalisations go by the statistics that the network holds, unless `momentum` says that they are learned too:
/// then by those of the batch. Fold them into convolutions (`Network.simplified()`) to learn the folded layers instead.
///
/// Gradients are the same to the bit for any number of threads. For use by one thread at a time.
public final class DifferentiableNetwork {
    /// The network, its constants as they were at the beginning.
    public let network: Network
    /// What is learned.
    public let store: ParameterStore
    private let momentum: Float?
    private let pool: ThreadPool
    private var plan: (shapes: [String: Shape], plan: TrainingPlan)?

    /// A network ready to be learned.
    /// - Parameters:
    ///   - network: The network; nodes that do not depend on its inputs are computed in advance.
    ///   - momentum: How far the running statistics of batch normalisations go towards those of each batch, 0 to 1;
    ///     `nil` to go by the statistics that the network holds.
    ///   - pool: The threads that share the work.
    /// - Throws: ``NetworkError`` if the network is not whole.
    public init(_ network: Network, momentum: Float? = nil, pool: ThreadPool = ThreadPool()) throws {
        let folded = try network.preparedForTraining()
        self.network = folded
        self.momentum = momentum
        self.pool = pool
        var states: [String] = []
        if momentum != nil {
            for case let node in folded.nodes {
                guard case .batchNormalization = node.operation else { continue }
                for case let name? in [node.input(3), node.input(4)] where !states.contains(name) {
                    states.append(name)
                }
            }
        }
        store = try ParameterStore(folded, parameters: folded.learnedParameters(), states: states)
    }

    /// The network with what it has learned.
    public func learned() throws -> Network {
        var result = network
        try store.write(to: &result)
        return result
    }

    /// The bytes of memory that values, gradients and scratch take for inputs of these shapes, parameters not counted.
    /// - Throws: ``NetworkError``.
    public func peakBytes(_ shapes: [String: Shape]) throws -> Int { try plan(for: shapes).peakBytes }

    /// Runs forward.
    /// - Parameter inputs: One float32 tensor for each input of the network, by name.
    /// - Returns: The outputs, in the network's order.
    /// - Throws: ``NetworkError`` for inputs that the network does not take, and for what cannot be differentiated.
    public func outputs(_ inputs: [String: Tensor]) throws -> [Tensor] {
        let plan = try prepared(inputs)
        plan.forward()
        return try plan.outputs.map {
            try Tensor(
                elementType: .float32, shape: Shape($0.operand.extents), bytes: $0.operand.view.bytes)
        }
    }

    /// Runs forward and backward; the gradients are then in ``store``.
    /// - Parameters:
    ///   - inputs: One float32 tensor for each input of the network, by name.
    ///   - observer: Is shown the gradients by layers' results.
    ///   - loss: Is given the first output, and computes the loss and its gradient by that.
    /// - Returns: The loss.
    /// - Throws: as ``outputs(_:)``, and whatever `loss` throws.
    public func differentiate(
        _ inputs: [String: Tensor], observer: (any GradientObserver)? = nil,
        loss: (_ output: TensorView, _ gradient: MutableTensorView) throws -> Double
    ) throws -> Double {
        try differentiate(
            inputs, observer: observer,
            losses: { outputs, gradients in
                for other in gradients.dropFirst() { other.elements(of: Float.self).update(repeating: 0) }
                return try loss(outputs[0], gradients[0])
            })
    }

    /// Runs forward and backward; the gradients are then in ``store``.
    /// - Parameters:
    ///   - inputs: One float32 tensor for each input of the network, by name.
    ///   - observer: Is shown the gradients by layers' results.
    ///   - loss: Is given all outputs, and computes the loss and its gradients by them.
    /// - Returns: The loss.
    /// - Throws: as ``outputs(_:)``, and whatever `loss` throws.
    public func differentiate(
        _ inputs: [String: Tensor], observer: (any GradientObserver)? = nil,
        losses loss: (_ outputs: [TensorView], _ gradients: [MutableTensorView]) throws -> Double
    ) throws -> Double {
        let plan = try prepared(inputs)
        let gradients = try plan.outputs.map { output in
            guard let gradient = output.gradient else {
                throw NetworkError.unsupported(
                    node: "of '\(output.name)'", reason: "learning from an output that no parameter changes")
            }
            return MutableTensorView(
                elementType: .float32, shape: try Shape(output.operand.extents), base: gradient)
        }
        guard !gradients.isEmpty else { throw TrainingError.nothingToDo }
        plan.forward()
        let value = try loss(plan.outputs.map(\.operand.view), gradients)
        plan.backward(observer)
        return value
    }

    /// The plan for these inputs, which it holds.
    private func prepared(_ inputs: [String: Tensor]) throws -> TrainingPlan {
        for input in network.inputs {
            guard let tensor = inputs[input.name], tensor.elementType == .float32 else {
                throw NetworkError.inputMismatch(
                    name: input.name, expected: "\(input.type)",
                    found: inputs[input.name].map { "\($0.elementType)" } ?? "missing")
            }
        }
        let plan = try plan(for: inputs.mapValues(\.shape))
        for input in plan.inputs {
            inputs[input.name]?.withElements(of: Float.self) {
                if let base = $0.baseAddress { input.operand.base.update(from: base, count: $0.count) }
            }
        }
        return plan
    }

    private func plan(for shapes: [String: Shape]) throws -> TrainingPlan {
        if let plan, plan.shapes == shapes { return plan.plan }
        // Its memory may be what the new one needs.
        plan = nil
        var planner = try TrainingPlanner(
            network: network, shapes: shapes, store: store, momentum: momentum, pool: pool)
        let made = try planner.build()
        plan = (shapes, made)
        return made
    }
}

extension Network {
    /// The network in single precision, what does not depend on its inputs computed, identities gone, each node with a name of
    /// its own. Batch normalisations stay.
    func preparedForTraining() throws -> Network {
        var result = try inSinglePrecision().folded().network
        result.removeIdentities()
        result.removeDeadNodes()
        result.nameNodes()
        return result
    }
}
