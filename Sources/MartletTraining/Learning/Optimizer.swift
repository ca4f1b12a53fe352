import MartletInference
import MartletKernelsBaseline
import MartletParallelism
import MartletTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How parameters follow their gradients.
public enum Optimization: String, Sendable, CaseIterable, Codable {
    /// Adam with its authors' constants: 0.9, 0.999, 1e-8.
    case adam
    /// Stochastic gradient descent with Nesterov's momentum 0.9.
    case sgd
}

/// The optimiser of a network's parameters, with what it remembers.
final class Optimizer {
    private let store: ParameterStore
    private let kind: Optimization
    /// What each step takes off weights, relative to the learning rate. Biases and scales are left alone.
    private let decay: Float
    private let pool: ThreadPool
    private let memory: Arena
    /// Steps taken.
    var steps = 0

    init(_ store: ParameterStore, kind: Optimization, decay: Float, pool: ThreadPool) throws {
        self.store = store
        self.kind = kind
        self.decay = decay
        self.pool = pool
        memory = try Arena(
            byteCount: CheckedArithmetic.product([max(1, store.count), 2, MemoryLayout<Float>.stride]))
    }

    /// Twice as many numbers as parameters: what is remembered of each.
    var remembered: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: memory.base.assumingMemoryBound(to: Float.self), count: 2 * store.count)
    }

    private static let momentum: Float = 0.9
    private static let second: Float = 0.999
    private static let epsilon: Float = 1e-8

    /// Takes a step by the gradients in the store.
    func step(rate: Float) {
        steps += 1
        guard let remembered = remembered.baseAddress else { return }
        let (kind, count, store) = (kind, store.count, store)
        let firstCorrection = 1 - pow(Double(Optimizer.momentum), Double(steps))
        let secondCorrection = 1 - pow(Double(Optimizer.second), Double(steps))
        pool.forEach(store.parameters.count) { index in
            let parameter = store.parameters[index]
            let decay = parameter.isWeight ? self.decay : 0
            let first = parameter.range.lowerBound
            let (values, gradients) = (store.values + first, store.gradients + first)
            switch kind {
            case .sgd:
                momentumStep(
                    values, gradients: gradients, velocities: remembered + first, count: parameter.range.count,
                    rate: rate, momentum: Optimizer.momentum, decay: decay)
            case .adam:
                adamStep(
                    values, gradients: gradients, means: remembered + first, squares: remembered + count + first,
                    count: parameter.range.count, rate: rate / Float(firstCorrection),
                    correction: Float(secondCorrection), first: Optimizer.momentum, second: Optimizer.second,
                    epsilon: Optimizer.epsilon, decay: rate * decay)
            }
        }
    }
}
