import MartletNetworks
import MartletParallelism
import MartletTensors

/// Where the time of a network goes, node by node.
public struct ExecutionProfile: Codable, Sendable {
    /// A node of the network as it runs: fused, and with conversions between layouts.
    public struct Node: Codable, Sendable {
        /// The layer's name.
        public var name: String
        /// What it computes: ``Operator/title``.
        public var operation: String
        /// How: `direct`, `Winograd F(4,3)`; empty where there is one way only.
        public var algorithm: String
        /// The type of what it computes.
        public var output: String
        /// Multiply-adds of the definition, whatever the algorithm saves, for the whole batch.
        public var multiplyAdds: Int
        /// The tenth percentile over all runs, in milliseconds.
        public var milliseconds: Double

        /// Thousands of millions of operations a second, a multiply-add counting as two: more than the machine can do where
        /// the algorithm does without some of them.
        public var gigaflops: Double {
            milliseconds > 0 ? 2 * Double(multiplyAdds) / (milliseconds * 1e6) : 0
        }

        enum CodingKeys: String, CodingKey {
            case name, operation, algorithm, output, milliseconds
            case multiplyAdds = "macs"
        }
    }

    /// The nodes that take time, in execution order.
    public var nodes: [Node]
    /// The tenth percentile of whole runs, in milliseconds.
    public var milliseconds: Double
    /// How often the network ran.
    public var runs: Int

    init(of plan: Plan, on tensors: [Tensor], pool: ThreadPool, seconds: Double) throws {
        let typed = plan.network
        var times = [[Duration]](repeating: [], count: typed.network.nodes.count)
        var totals: [Duration] = []
        _ = try plan.run(tensors, pool: pool)
        let begin = ContinuousClock.now
        while totals.count < 3 || (ContinuousClock.now - begin) / .seconds(1) < seconds {
            var spent = [Duration](repeating: .zero, count: times.count)
            let start = ContinuousClock.now
            var last = start
            _ = try plan.run(tensors, pool: pool) { index in
                let now = ContinuousClock.now
                spent[plan.entries[index].node] += now - last
                last = now
            }
            totals.append(last - start)
            for node in times.indices { times[node].append(spent[node]) }
        }
        let costs = try typed.costs()
        let algorithms = Dictionary(
            plan.entries.filter { !$0.step.algorithm.isEmpty }.map { ($0.node, $0.step.algorithm) },
            uniquingKeysWith: { first, _ in first })
        nodes = Set(plan.entries.map(\.node)).sorted().map { index in
            let node = typed.network.nodes[index]
            return Node(
                name: node.name, operation: node.operation.title, algorithm: algorithms[index] ?? "",
                output: node.outputs.first.flatMap { $0 }.flatMap { typed.types[$0] }.map { "\($0)" } ?? "",
                multiplyAdds: costs[index].multiplyAdds, milliseconds: ExecutionProfile.tenth(times[index]))
        }
        milliseconds = ExecutionProfile.tenth(totals)
        runs = totals.count
    }

    /// The tenth percentile (nearest rank) in milliseconds.
    private static func tenth(_ times: [Duration]) -> Double {
        times.sorted()[(times.count + 9) / 10 - 1] / .milliseconds(1)
    }
}
