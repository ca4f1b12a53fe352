import Foundation
import MartletInference
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct ElementwiseTests {
    @Test func activations() throws {
        var generator = SeededGenerator(seed: 1)
        let x = try Tensor(generator.floats(20_000).map { $0 * 5 }, [2, 10_000])
        let cases: [(Activation, (Double) -> Double)] = [
            (.relu, { max($0, 0) }), (.leakyRelu(slope: 0.1), { $0 < 0 ? 0.1 * $0 : $0 }),
            (.sigmoid, { 1 / (1 + exp(-$0)) }), (.tanh, { tanh($0) }),
            (.hardSigmoid(alpha: 0.2, beta: 0.5), { min(max(0.2 * $0 + 0.5, 0), 1) }),
            (.hardSwish, { $0 * min(max($0 / 6 + 0.5, 0), 1) }),
            (.clip(minimum: -1, maximum: 2), { min(max($0, -1), 2) }),
        ]
        for (activation, function) in cases {
            let y = try run(.activation(activation), [x])[0].floats
            #expect(relativeDifference(y, try x.floats.map { function(Double($0)) }) < 1e-6, "\(activation)")
        }
    }

    @Test func clipWithBoundsFromAnywhere() throws {
        let x = try Tensor([-2, 0.5, 9], [3])
        let (low, high) = (try Tensor([0], []), try Tensor([1], []))
        for constants in [[], [1, 2], [1]] as [Set<Int>] {
            #expect(try run(.clip, [x, low, high], constants: constants)[0].floats == [0, 0.5, 1])
            #expect(try run(.clip, [x, nil, high], constants: constants)[0].floats == [-2, 0.5, 1])
        }
        let integers = try Tensor([Int32(-5), 7], shape: [2])
        #expect(try run(.clip, [integers, Tensor([Int32(0)], shape: [])])[0].elements(Int32.self) == [0, 7])
    }

    @Test func parametricRelu() throws {
        var generator = SeededGenerator(seed: 2)
        let x = try generator.tensor([2, 3, 4, 5])
        for extents in [[], [1], [3, 1, 1], [5], [2, 3, 4, 5]] as [[Int]] {
            let slope = try generator.tensor(extents)
            let y = try run(.parametricRelu, [x, slope], constants: [1])[0].floats
            let padded = [Int](repeating: 1, count: 4 - extents.count) + extents
            for (i, value) in try x.floats.enumerated() {
                let position = [i / 60, i / 20 % 3, i / 5 % 4, i % 5]
                let at = zip(position, padded).reduce(0) { $0 * $1.1 + ($1.1 == 1 ? 0 : $1.0) }
                #expect(y[i] == (value < 0 ? value * (try slope.floats[at]) : value))
            }
        }
    }

    @Test func batchNormalization() throws {
        var generator = SeededGenerator(seed: 3)
        for extents in [[3, 4], [2, 4, 5, 3]] {
            let x = try generator.tensor(extents)
            var parameters: [Tensor] = []
            for index in 0..<4 {
                parameters.append(try Tensor(generator.floats(4).map { abs($0) + Float(index) / 10 + 0.1 }, [4]))
            }
            let y = try run(.batchNormalization(epsilon: 0.01), [x] + parameters, constants: [1, 2, 3, 4])[0].floats
            let doubles = try parameters.map { try $0.floats.map { Double($0) } }
            let size = extents.dropFirst(2).reduce(1, *)
            let expected = try x.floats.enumerated().map { i, value -> Double in
                let c = i / size % 4
                let centred = Double(value) - doubles[2][c]
                let deviation = (doubles[3][c] + Double(Float(0.01))).squareRoot()
                return doubles[0][c] * centred / deviation + doubles[1][c]
            }
            #expect(relativeDifference(y, expected) < 1e-6)
        }
    }

    @Test(arguments: [false, true], [false, true]) func softmax(isLogarithmic: Bool, flattens: Bool) throws {
        var generator = SeededGenerator(seed: 4)
        let extents = [2, 3, 4]
        let x = try Tensor(generator.floats(24).map { $0 * 20 }, extents)
        for axis in -3...2 {
            let softmax = Softmax(axis: axis, isLogarithmic: isLogarithmic, flattensTrailingAxes: flattens)
            let y = try run(.softmax(softmax), [x])[0].floats
            let at = axis < 0 ? axis + 3 : axis
            let end = flattens ? 3 : at + 1
            let count = extents[at..<end].reduce(1, *)
            let inner = extents[end...].reduce(1, *)
            let values = try x.floats.map { Double($0) }
            let expected = values.indices.map { i -> Double in
                let first = i / (count * inner) * count * inner + i % inner
                let row = (0..<count).map { values[first + $0 * inner] }
                let largest = row.max() ?? 0
                let sum = row.reduce(0) { $0 + exp($1 - largest) }
                return isLogarithmic ? values[i] - largest - log(sum) : exp(values[i] - largest) / sum
            }
            #expect(relativeDifference(y, expected) < 1e-6, "axis \(axis)")
        }
    }

    @Test func localResponseNormalization() throws {
        var generator = SeededGenerator(seed: 5)
        let (channels, pixels) = (5, 11 * 13)
        let x = try generator.tensor([2, channels, 11, 13])
        let normalization = LocalResponseNormalization(alpha: 0.3, beta: 0.75, bias: 1, size: 3)
        let y = try run(.localResponseNormalization(normalization), [x], threads: 3)[0].floats
        let values = try x.floats.map { Double($0) }
        let expected = values.indices.map { i -> Double in
            let (c, p) = (i / pixels % channels, i % pixels + i / (pixels * channels) * pixels * channels)
            let sum = (max(0, c - 1)...min(channels - 1, c + 1)).reduce(0.0) { $0 + pow(values[p + $1 * pixels], 2) }
            return values[i] / pow(1 + 0.1 * sum, 0.75)
        }
        #expect(relativeDifference(y, expected) < 1e-6)
    }
}
