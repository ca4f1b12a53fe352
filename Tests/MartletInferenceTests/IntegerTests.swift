import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

/// Products of 8-bit integers: the sums exactly, what becomes of them to the definition.
@Suite struct IntegerTests {
    /// Random integers of a type, and the same as floating-point numbers.
    private func integers<Element: FixedWidthInteger & TensorElement>(
        _: Element.Type, _ extents: [Int], _ generator: inout SeededGenerator
    ) throws -> (tensor: Tensor, values: [Element]) {
        let values = (0..<extents.reduce(1, *)).map { _ in Element.random(in: .min ... .max, using: &generator) }
        return (try Tensor(values, shape: Shape(extents)), values)
    }

    @Test func integerConvolutions() throws {
        var generator = SeededGenerator(seed: 1)
        for round in 0..<40 {
            let oracle = WindowOracle.random(axes: [2, 1, 3][round % 3], using: &generator)
            if oracle.outputCount * oracle.tapCount > 2000 { continue }
            let groups = generator.integer(1...2)
            let (channels, outputs) = (groups * generator.integer(1...3), groups * generator.integer(1...3))
            let x = try integers(UInt8.self, [2, channels] + oracle.input, &generator)
            let weight = try integers(Int8.self, [outputs, channels / groups] + oracle.kernel, &generator)
            let zeroX = try integers(UInt8.self, [], &generator)
            let zeroWeight = try integers(Int8.self, round % 2 == 0 ? [] : [outputs], &generator)
            let convolution = Convolution(window: oracle.window, groups: groups)
            let sums = try run(
                .integerConvolution(convolution), [x.tensor, weight.tensor, zeroX.tensor, zeroWeight.tensor],
                constants: round % 2 == 0 ? [1, 2, 3] : [], threads: generator.integer(1...3))[0]
            // 24 bits of a float hold the differences, and the oracle sums in double.
            let fan = weight.values.count / outputs
            let expected = oracle.convolution(
                x.values.map { Float($0) - Float(zeroX.values[0]) }, images: 2, channels: channels,
                weight: weight.values.enumerated().map {
                    Float($1) - Float(zeroWeight.values[zeroWeight.values.count == 1 ? 0 : $0 / fan])
                }, outputs: outputs, groups: groups, bias: nil)
            #expect(try sums.elements(Int32.self).map { Double($0) } == expected, "\(oracle)")

            // The same sums with a bias, brought to 8 bits.
            let bias = try Tensor((0..<outputs).map { Int32(1000 * $0) }, shape: Shape([outputs]))
            let scales = (0..<outputs).map { _ in Float.random(in: 0.01...0.02, using: &generator) }
            let (scaleX, scaleY): (Float, Float) = (0.05, 0.3)
            let y = try run(
                .quantizedConvolution(convolution),
                [
                    x.tensor, try Tensor([scaleX], shape: []), zeroX.tensor, weight.tensor,
                    try Tensor(scales, shape: Shape([outputs])), zeroWeight.tensor, try Tensor([scaleY], shape: []),
                    try Tensor([7 as UInt8], shape: []), bias,
                ], constants: [1, 2, 3, 4, 5, 6, 7, 8], threads: 2)[0]
            for (index, found) in try y.elements(UInt8.self).enumerated() {
                let channel = index / oracle.outputCount % outputs
                let exact =
                    (expected[index] + Double(1000 * channel)) * Double(scaleX) * Double(scales[channel])
                    / Double(scaleY)
                    + 7
                // The factor is a float: half a step is decided by its last bit.
                #expect(abs(Double(found) - min(max(exact, 0), 255)) <= 0.5 + 1e-3)
            }
        }
    }

    @Test func integerMatrixProducts() throws {
        var generator = SeededGenerator(seed: 2)
        for round in 0..<30 {
            let (m, k, n) = (generator.integer(1...5), generator.integer(1...9), generator.integer(1...6))
            let stack = round % 3 == 0 ? [2] : []
            let a = try integers(UInt8.self, stack + [m, k], &generator)
            let b = try integers(Int8.self, [k, n], &generator)
            let zeroA = try integers(UInt8.self, round % 2 == 0 ? [] : [m], &generator)
            let zeroB = try integers(Int8.self, round % 2 == 0 ? [] : [n], &generator)
            let sums = try run(.integerMatMul, [a.tensor, b.tensor, zeroA.tensor, zeroB.tensor], constants: [1])[0]
            let scale = try Tensor([0.25 as Float], shape: [])
            let columnScales = try Tensor((0..<n).map { 0.01 * Float($0 + 1) }, shape: Shape([n]))
            let y = try run(
                .quantizedMatMul,
                [
                    a.tensor, scale, try Tensor([zeroA.values[0]], shape: []), b.tensor, columnScales,
                    try Tensor([Int8](repeating: 0, count: n), shape: Shape([n])), scale,
                    try Tensor([1 as Int8], shape: []),
                ], constants: [1, 2, 3, 4, 5, 6, 7])[0]
            let (found, quantized) = (try sums.elements(Int32.self), try y.elements(Int8.self))
            for row in 0..<(stack.first ?? 1) * m {
                for column in 0..<n {
                    var (exact, plain) = (0, 0)
                    for term in 0..<k {
                        let (left, right) = (Int(a.values[row * k + term]), Int(b.values[term * n + column]))
                        exact +=
                            (left - Int(zeroA.values[round % 2 == 0 ? 0 : row % m]))
                            * (right - Int(zeroB.values[round % 2 == 0 ? 0 : column]))
                        plain += (left - Int(zeroA.values[0])) * right
                    }
                    #expect(Int(found[row * n + column]) == exact)
                    let scaled = Double(plain) * 0.01 * Double(column + 1) + 1
                    #expect(abs(Double(quantized[row * n + column]) - min(max(scaled, -128), 127)) <= 0.5 + 1e-3)
                }
            }
        }
    }

    @Test func maximaOfBytes() throws {
        var generator = SeededGenerator(seed: 3)
        let x = try integers(Int8.self, [2, 3, 5, 6], &generator)
        let window = Window(kernel: [2, 3], strides: [2, 1], padding: .explicit(before: [1, 0], after: [0, 2]))
        let found = try run(.maxPool(Pooling(window: window)), [x.tensor])[0]
        let floats = try Tensor(x.values.map { Float($0) }, shape: [2, 3, 5, 6])
        let expected = try run(.maxPool(Pooling(window: window)), [floats])[0]
        #expect(try found.elements(Int8.self).map { Float($0) } == expected.floats)
    }

    /// A network in ONNX's form for quantized ones computes what its numbers stand for.
    @Test func quantizedWeightsRun() throws {
        var maker = NetworkMaker(seed: 4)
        let weight = try integers(Int8.self, [3, maker.channels, 3, 3], &maker.generator)
        let scales = try maker.floats([3], 0.001...0.01)
        let float = maker.add(.dequantizeLinear(axis: 0), [maker.constant(weight.tensor), scales])
        let convolution = Operator.convolution(Convolution(window: Window(kernel: [3, 3])))
        maker.current = maker.add(convolution, [maker.current, float])
        (maker.channels, maker.height, maker.width) = (3, maker.height - 2, maker.width - 2)
        let x = try maker.images(batch: 2)
        let network = try maker.finished()
        let results = try Executor(network: network, pool: pools[1]).run(["input": x])
        var plain = network
        let factors = try #require(network.constants[scales]).floats
        let products = weight.values.enumerated().map { Float($1) * factors[$0 / (weight.values.count / 3)] }
        plain.constants[float] = try Tensor(products, weight.tensor.shape.extents)
        plain.nodes.removeFirst()
        let expected = try Executor(network: plain, pool: pools[1]).run(["input": x])
        #expect(results["logits"] != nil && results["logits"] == expected["logits"])
    }
}
