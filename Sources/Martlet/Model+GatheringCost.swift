import MartletInference
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors

/// What gathering Sigma costs beside running the network, measured on noise.
public struct GatheringCost: Sendable {
    /// One view of a value: the layers that see it, and seconds an image in each form measured.
    public struct Layer: Sendable {
        /// The layers.
        public var names: [String]
        /// The length of a patch.
        public var patchSize: Int
        /// The form the planner chooses.
        public var chosen: MomentForm
        /// Seconds an image.
        public var seconds: [MomentForm: Double]
    }

    /// The layers in execution order.
    public var layers: [Layer]
    /// Seconds an image of running the network without looking.
    public var forward: Double
    /// Seconds an image of running the network and gathering all, in the chosen forms.
    public var total: Double
    /// The images a run.
    public var images: Int
}

extension Model {
    /// Measures what gathering Sigma costs, layer by layer; extents that the network's file leaves open are 224.
    ///
    /// - Parameters:
    ///   - forms: Which forms to measure beside those that the planner chooses.
    ///   - repetitions: How often; the shortest time counts.
    ///   - pool: The threads to measure on.
    /// - Throws: ``NetworkError``, `TensorError`, `InstructionSetError`.
    public func gatheringCost(
        forms: [MomentForm], repetitions: Int, pool: ThreadPool
    ) throws -> GatheringCost {
        let extents = try imageExtents.map { $0 ?? 224 }
        let images = try batchSize(upTo: StatisticsGatherer.imagesPerStep)
        let shape = try Shape([images] + extents)
        var state: UInt64 = 1
        let noise = (0..<shape.elementCount).map { _ -> Float in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 23) - 1
        }
        let batch = try Tensor(noise, shape: shape)
        let clock = ContinuousClock()
        let input = network.inputs[0].name

        let executor = try Executor(network: network, pool: pool)
        var forward = Double.infinity
        for _ in 0...repetitions {
            forward = min(forward, try clock.measure { _ = try executor.run([input: batch]) } / .seconds(1))
        }
        func measure(_ form: MomentForm?) throws -> (costs: [StatisticsGatherer.LayerCost], total: Double) {
            let gatherer = try StatisticsGatherer(network: network, pool: pool, form: form)
            var best = [Double](repeating: .infinity, count: gatherer.costs.count)
            var total = Double.infinity
            // The first run makes plans.
            try gatherer.add(batch)
            for _ in 0..<repetitions {
                let before = gatherer.costs.map(\.seconds)
                total = min(total, try clock.measure { try gatherer.add(batch) } / .seconds(1))
                for (index, cost) in gatherer.costs.enumerated() {
                    best[index] = min(best[index], cost.seconds - before[index])
                }
            }
            let costs = zip(gatherer.costs, best).map { cost, seconds in
                StatisticsGatherer.LayerCost(
                    layers: cost.layers, patchSize: cost.patchSize, form: cost.form, bytes: cost.bytes,
                    seconds: seconds / Double(images))
            }
            return (costs, total / Double(images))
        }
        let chosen = try measure(nil)
        var layers = chosen.costs.map { cost in
            GatheringCost.Layer(
                names: cost.layers, patchSize: cost.patchSize, chosen: cost.form ?? .unfolded,
                seconds: [cost.form ?? .unfolded: cost.seconds])
        }
        for form in forms {
            for (index, cost) in try measure(form).costs.enumerated() where layers[index].chosen != form {
                layers[index].seconds[form] = cost.seconds
            }
        }
        return GatheringCost(layers: layers, forward: forward / Double(images), total: chosen.total, images: images)
    }
}
