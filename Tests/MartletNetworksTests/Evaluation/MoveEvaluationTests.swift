import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct MoveEvaluationTests {
    @Test func transposition() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<40 {
            let extents = generator.extents(0...4)
            let order = Array(extents.indices).shuffled(using: &generator)
            let output = order.map { extents[$0] }
            let expected = positions(output).map { position -> Int32 in
                var source = [Int](repeating: 0, count: extents.count)
                for (axis, from) in order.enumerated() { source[from] = position[axis] }
                return Int32(offset(source, extents))
            }
            let x = try numbered(extents)
            #expect(try result(.transpose(permutation: order), [x], output, as: Int32.self) == expected)
        }
        #expect(throws: NetworkError.self) {
            try evaluate(.transpose(permutation: [0, 0]), [try numbered([2, 2])], [(.int32, [2, 2])])
        }
    }

    /// The indices that ONNX takes: as numpy's `start:end:step`, but for a backward start before the first element, which
    /// ONNX moves to the first.
    private func indices(_ start: Int, _ end: Int, _ step: Int, extent: Int) -> [Int] {
        let wide = { (index: Int) in index < 0 ? Double(index) + Double(extent) : Double(index) }
        var result: [Int] = []
        var at = max(0, min(wide(start), Double(step > 0 ? extent : extent - 1)))
        let stop = max(-1, min(wide(end), Double(extent)))
        while step > 0 ? at < stop : at > stop {
            if at >= 0, at < Double(extent) { result.append(Int(at)) }
            at += Double(step)
        }
        return result
    }

    @Test func slicing() throws {
        var generator = SeededGenerator(seed: 2)
        let extremes = [Int.min, Int.max, Int.min + 1, -1, 0, 1, Int(Int32.max)]
        for _ in 0..<150 {
            let extents = generator.extents(1...3, upTo: 6)
            func number(_ generator: inout SeededGenerator) -> Int {
                generator.integer(0...4) == 0
                    ? extremes[generator.integer(0...(extremes.count - 1))] : generator.integer(-8...8)
            }
            let axes = extents.indices.filter { _ in generator.integer(0...2) > 0 }
            let starts = axes.map { _ in number(&generator) }
            let ends = axes.map { _ in number(&generator) }
            let steps = axes.map { _ in
                let step = number(&generator)
                return step == 0 ? 1 : step
            }
            var taken = extents.map { Array(0..<$0) }
            for (index, axis) in axes.enumerated() {
                taken[axis] = indices(starts[index], ends[index], steps[index], extent: extents[axis])
            }
            let output = taken.map(\.count)
            let expected = positions(output).map { position in
                Int32(offset(position.indices.map { taken[$0][position[$0]] }, extents))
            }
            let inputs = [
                try numbered(extents), try vector(starts), try vector(ends),
                try vector(axes.map { $0 - extents.count }), try vector(steps),
            ]
            let found = try result(.slice, inputs, output, as: Int32.self)
            #expect(found == expected, "\(extents) \(starts) \(ends) \(axes) \(steps)")
        }
    }

    @Test func hostileSlices() throws {
        let x = try numbered([4])
        func slice(_ starts: [Int], _ ends: [Int], _ axes: [Int], _ steps: [Int], _ output: [Int]) throws {
            _ = try evaluate(
                .slice, [x, try vector(starts), try vector(ends), try vector(axes), try vector(steps)],
                [(.int32, output)])
        }
        #expect(throws: NetworkError.self) { try slice([0], [4], [0], [0], [4]) }
        #expect(throws: NetworkError.self) { try slice([0], [4], [1], [1], [4]) }
        #expect(throws: NetworkError.self) { try slice([0], [4], [.min], [1], [4]) }
        #expect(throws: NetworkError.self) { try slice([0, 0], [4, 4], [0, 0], [1, 1], [4]) }
        #expect(throws: NetworkError.self) { try slice([0], [4, 4], [0], [1], [4]) }
        #expect(throws: NetworkError.self) { try slice([0], [4], [0], [1], [5]) }
    }

    @Test func concatenationAndSplit() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<40 {
            var extents = generator.extents(1...4)
            let axis = generator.integer(0...(extents.count - 1))
            let sizes = (0..<generator.integer(1...4)).map { _ in generator.integer(0...3) }
            extents[axis] = sizes.reduce(0, +)
            let whole = try numbered(extents)
            let parts = sizes.map { size in
                var part = extents
                part[axis] = size
                return part
            }
            let types = parts.map { (ElementType.int32, $0) }
            let split = try #require(try evaluate(.split(axis: axis), [whole, try vector(sizes)], types))
            var start = 0
            for (index, part) in parts.enumerated() {
                let expected = positions(part).map { position -> Int32 in
                    var source = position
                    source[axis] += start
                    return Int32(offset(source, extents))
                }
                #expect(try split[index].elements(Int32.self) == expected)
                start += sizes[index]
            }
            let joined = try result(.concat(axis: axis - extents.count), split, extents, as: Int32.self)
            #expect(joined == (try whole.elements(Int32.self)))
        }
        let x = try numbered([5])
        let parts = try #require(try evaluate(.split(axis: 0), [x], [(.int32, [3]), (.int32, [2])]))
        #expect(try parts[1].elements(Int32.self) == [3, 4])
        #expect(throws: NetworkError.self) {
            try evaluate(.split(axis: 0), [x, try vector([.max, .max])], [(.int32, [3]), (.int32, [2])])
        }
        #expect(throws: NetworkError.self) {
            try evaluate(.concat(axis: 0), [x, try numbered([5, 1])], [(.int32, [10])])
        }
    }

    @Test func gathering() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<40 {
            let extents = generator.extents(1...3)
            let axis = generator.integer(0...(extents.count - 1))
            let shape = generator.extents(0...2)
            let indices = (0..<shape.reduce(1, *)).map { _ in generator.integer(-extents[axis]...(extents[axis] - 1)) }
            let output = extents[..<axis] + shape + extents[(axis + 1)...]
            let expected = positions(Array(output)).map { position -> Int32 in
                let index = indices[offset(Array(position[axis..<(axis + shape.count)]), shape)]
                let source =
                    position[..<axis] + [index < 0 ? index + extents[axis] : index] + position[(axis + shape.count)...]
                return Int32(offset(Array(source), extents))
            }
            let inputs = [try numbered(extents), try Tensor(indices.map { Int32($0) }, shape: Shape(shape))]
            #expect(try result(.gather(axis: axis), inputs, Array(output), as: Int32.self) == expected)
        }
        for index in [2, -3, .min, .max] {
            #expect(throws: NetworkError.self) {
                try evaluate(.gather(axis: 0), [try numbered([2]), try vector([index])], [(.int32, [1])])
            }
        }
    }

    /// The index that a position outside an axis repeats, found by walking there step by step.
    private func walked(_ mode: PadMode, to target: Int, extent: Int) -> Int {
        var (at, direction) = (0, 1)
        for _ in 0..<abs(target) {
            let forward = target < 0 ? -direction : direction
            var next = at + forward
            if next < 0 || next >= extent {
                switch mode {
                case .wrap: next = next < 0 ? extent - 1 : 0
                case .reflect where extent > 1:
                    direction = -direction
                    next = at - forward
                default: next = at
                }
            }
            at = next
        }
        return at
    }

    @Test(arguments: [PadMode.constant, .edge, .reflect, .wrap]) func padding(mode: PadMode) throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<60 {
            let extents = generator.extents(1...3, upTo: 5)
            let axes = extents.indices.filter { _ in generator.integer(0...2) > 0 }
            var before = [Int](repeating: 0, count: extents.count)
            var after = before
            for axis in axes {
                before[axis] = generator.integer(-2...6)
                after[axis] = generator.integer(-2...6)
            }
            let first = before.map { max(0, -$0) }
            let kept = extents.indices.map { extents[$0] - first[$0] - max(0, -after[$0]) }
            if kept.contains(where: { $0 < 1 }) { continue }
            let output = extents.indices.map { extents[$0] + before[$0] + after[$0] }
            let expected = positions(output).map { position -> Int32 in
                var source: [Int] = []
                for (axis, at) in position.enumerated() {
                    let inner = at - max(0, before[axis])
                    if mode == .constant, inner < 0 || inner >= kept[axis] { return -7 }
                    source.append(first[axis] + walked(mode, to: inner, extent: kept[axis]))
                }
                return Int32(offset(source, extents))
            }
            let inputs = [
                try numbered(extents), try vector(axes.map { before[$0] } + axes.map { after[$0] }),
                try Tensor([Int32(-7)], shape: []), try vector(axes),
            ]
            let found = try result(.pad(mode), inputs, output, as: Int32.self)
            #expect(found == expected, "\(mode) \(extents) \(before) \(after)")
        }
    }

    @Test func hostilePads() throws {
        let x = try numbered([2])
        for pads in [[Int.min, 0], [.max, .max], [-2, -1], [-3, 9], [1]] {
            #expect(throws: NetworkError.self) {
                try evaluate(.pad(.constant), [x, try vector(pads)], [(.int32, [2])])
            }
        }
        #expect(throws: NetworkError.self) { try evaluate(.pad(.edge), [x, try vector([-2, 3])], [(.int32, [3])]) }
    }

    @Test func expansion() throws {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<30 {
            let (shapes, common) = generator.broadcastable(2)
            let expected = positions(common).map { Int32(broadcastOffset($0, shapes[0])) }
            let inputs = [try numbered(shapes[0]), try vector(shapes[1])]
            #expect(try result(.expand, inputs, common, as: Int32.self) == expected)
        }
        for shape in [[-1], [.max, .max], [2, 3]] {
            #expect(throws: NetworkError.self) {
                try evaluate(.expand, [try numbered([2]), try vector(shape)], [(.int32, [2])])
            }
        }
    }

    @Test func otherShapesOfTheSameBytes() throws {
        let x = try numbered([2, 3])
        let all = (0..<6).map { Int32($0) }
        #expect(try result(.reshape(allowsZero: false), [x, try vector([3, 2])], [3, 2], as: Int32.self) == all)
        #expect(try result(.flatten(axis: 0), [x], [1, 6], as: Int32.self) == all)
        #expect(try result(.squeeze, [x], [2, 3], as: Int32.self) == all)
        #expect(try result(.unsqueeze, [x, try vector([0])], [1, 2, 3], as: Int32.self) == all)
        #expect(try result(.identity, [x], [2, 3], as: Int32.self) == all)
        #expect(throws: NetworkError.self) { try evaluate(.flatten(axis: 0), [x], [(.int32, [7])]) }
        #expect(throws: NetworkError.self) { try evaluate(.flatten(axis: 0), [x], [(.int64, [6])]) }
        #expect(throws: NetworkError.self) { try evaluate(.identity, [x], [(.int32, [3, 2])]) }
    }

    @Test func dropoutIsTheIdentityWithAMask() throws {
        let x = try numbered([3])
        let outputs = try #require(try evaluate(.dropout, [x], [(.int32, [3]), (.bool, [3])]))
        #expect(try outputs[0].elements(Int32.self) == [0, 1, 2])
        #expect(try outputs[1].elements(Bool.self) == [true, true, true])
        let training = try Tensor([true], shape: [])
        #expect(throws: NetworkError.self) { try evaluate(.dropout, [x, nil, training], [(.int32, [3])]) }
    }

    @Test func shapesAndFills() throws {
        let x = try numbered([2, 3, 4])
        #expect(try result(.shape(start: 0, end: nil), [x], [3], as: Int64.self) == [2, 3, 4])
        #expect(try result(.shape(start: -2, end: .max), [x], [2], as: Int64.self) == [3, 4])
        let value = try Tensor([Float16(1.5)], shape: [1])
        let filled = try result(.constantOfShape(value: value), [try vector([2, 2])], [2, 2], as: Float16.self)
        #expect(filled == [1.5, 1.5, 1.5, 1.5])
        #expect(throws: NetworkError.self) {
            try evaluate(.constantOfShape(value: value), [try vector([2, 3])], [(.float16, [2, 2])])
        }
    }

    @Test func casts() throws {
        let x = try Tensor([Float(-1.7), 0, 300, .nan], shape: [4])
        #expect(try result(.cast(to: .int32), [x], [4], as: Int32.self) == [-1, 0, 300, 0])
        #expect(try result(.cast(to: .bool), [x], [4], as: Bool.self) == [true, false, true, true])
        #expect(throws: NetworkError.self) { try evaluate(.cast(to: .int32), [x], [(.int32, [5])]) }
    }

    @Test func theOthersAreLeftAlone() throws {
        let x = try Tensor([Float(1)], shape: [1, 1])
        let others: [Operator] = [
            .matMul, .gemm(Gemm()), .activation(.relu), .softmax(Softmax(axis: 0)),
        ]
        for operation in others { #expect(try evaluate(operation, [x, x], [(.float32, [1, 1])]) == nil) }
        #expect(Operator.convolution(Convolution(window: Window(kernel: [3]))).kind == "convolution")
        #expect(Operator.matMul.kind == "matMul")
    }
}
