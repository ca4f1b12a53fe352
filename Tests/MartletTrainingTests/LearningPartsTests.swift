import Foundation
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletTraining

@Suite struct LearningPartsTests {
    /// Two parameters, of which one is a weight.
    private func store() throws -> ParameterStore {
        var network = Network(name: "n", inputs: [], outputs: [], nodes: [])
        network.constants = [
            "w": try Tensor([1 as Float, -2], shape: [2]), "b": try Tensor([0.5 as Float], shape: [1]),
        ]
        return try ParameterStore(network, parameters: [("w", true), ("b", false)], states: [])
    }

    /// Five steps against the formulas in double precision.
    @Test(arguments: Optimization.allCases) func optimizers(kind: Optimization) throws {
        let store = try store()
        let optimizer = try Optimizer(store, kind: kind, decay: 0.1, pool: ThreadPool(threadCount: 2))
        let places = store.parameters.flatMap { parameter in parameter.range.map { ($0, parameter.isWeight) } }
        var w = places.map { Double(store.values[$0.0]) }
        var (m, v) = (w.map { _ in 0.0 }, w.map { _ in 0.0 })
        for step in 1...5 {
            for (index, place) in places.enumerated() {
                let gradient = Double(step) * 0.3 - Double(index)
                store.gradients[place.0] = Float(gradient)
                let decay = place.1 ? 0.1 : 0
                switch kind {
                case .sgd:
                    m[index] = 0.9 * m[index] + gradient + decay * w[index]
                    w[index] -= 0.01 * (gradient + decay * w[index] + 0.9 * m[index])
                case .adam:
                    m[index] = 0.9 * m[index] + 0.1 * gradient
                    v[index] = 0.999 * v[index] + 0.001 * gradient * gradient
                    let mean = m[index] / (1 - pow(0.9, Double(step)))
                    let square = v[index] / (1 - pow(0.999, Double(step)))
                    w[index] -= 0.01 * (mean / (square.squareRoot() + 1e-8) + decay * w[index])
                }
            }
            optimizer.step(rate: 0.01)
        }
        #expect(relativeDifference(places.map { store.values[$0.0] }, w) < 1e-5)
    }

    @Test func schedule() {
        let schedule = Schedule(peak: 2, steps: 100)
        #expect(abs(schedule.rate(0) - 0.2) < 1e-12)
        #expect(abs(schedule.rate(9) - 2) < 1e-12)
        #expect(abs(schedule.rate(55) - 1) < 1e-12)
        #expect(schedule.rate(99) > 0 && schedule.rate(99) < 0.01)
        #expect((10..<99).allSatisfy { schedule.rate($0) > schedule.rate($0 + 1) })
    }

    /// Each image comes out as one that was moved and perhaps mirrored, whatever batch it is in.
    @Test func augmentation() throws {
        let (height, width) = (4, 5)
        let image = (0..<height * width).map { Float($0 + 1) }
        let count = 40
        let augmentation = Augmentation(mirrors: true, shift: 2)
        var batch = try Tensor(
            [Float]((0..<count).map { _ in image }.joined()), shape: Shape([count, 1, height, width]))
        try augmentation.apply(to: &batch, seed: 3, pass: 1, first: 0, black: [-1])
        let all = try batch.elements(Float.self)
        var seen: Set<[Float]> = []
        for index in 0..<count {
            let found = Array(all[index * image.count..<(index + 1) * image.count])
            seen.insert(found)
            var matches = false
            for down in -2...2 {
                for right in -2...2 {
                    for mirrors in [false, true] {
                        let moved = (0..<height * width).map { place -> Float in
                            let (y, x) = (place / width - down, place % width)
                            let source = (mirrors ? width - 1 - x : x) - right
                            return (0..<height).contains(y) && (0..<width).contains(source)
                                ? image[y * width + source] : -1
                        }
                        matches = matches || moved == found
                    }
                }
            }
            #expect(matches)
        }
        #expect(seen.count > 15)
        var single = try Tensor(image, shape: Shape([1, 1, height, width]))
        try augmentation.apply(to: &single, seed: 3, pass: 1, first: 7, black: [-1])
        #expect(try single.elements(Float.self) == Array(all[7 * image.count..<8 * image.count]))
    }

    /// The deviation of a convolution's kernel is that of He's initialisation; the rest is 0, 1 or within its bound.
    @Test func initialization() throws {
        var network = Network(name: "n", inputs: [], outputs: [], nodes: [])
        network.nodes = [
            Node(
                name: "c", operation: .convolution(Convolution(window: Window(kernel: [3, 3]))), inputs: ["x", "w"],
                outputs: ["a"]),
            Node(
                name: "b", operation: .batchNormalization(epsilon: 0), inputs: ["a", "s", "t", "m", "v"],
                outputs: ["c"]),
            Node(name: "g", operation: .gemm(Gemm(transposesB: true)), inputs: ["c", "k", "o"], outputs: ["y"]),
        ]
        for (name, extents) in [
            ("w", [16, 8, 3, 3]), ("s", [16]), ("t", [16]), ("m", [16]), ("v", [16]), ("k", [5, 16]), ("o", [5]),
        ] { network.constants[name] = try Tensor(zeros: Shape(extents), elementType: .float32) }
        let store = try ParameterStore(network, parameters: network.learnedParameters(), states: ["m", "v"])
        store.initialize(for: network, seed: 4)
        try store.write(to: &network)
        func elements(_ name: String) throws -> [Float] { try #require(network.constants[name]).elements(Float.self) }
        let w = try elements("w").map { Double($0) }
        let deviation = (w.reduce(0) { $0 + $1 * $1 } / Double(w.count)).squareRoot()
        #expect(abs(deviation / (2.0 / 144).squareRoot() - 1) < 0.1)
        #expect(abs(w.reduce(0, +) / Double(w.count)) < 0.02)
        #expect(try elements("k").allSatisfy { abs($0) <= 0.25 })
        #expect(try Set(elements("k")).count == 80)
        #expect(try Set(elements("s") + elements("v")) == [1])
        #expect(try Set(elements("t") + elements("m") + elements("o")) == [0])
    }
}
