import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletNetworks

/// The inferred types against plain definitions, and what happens to shapes known only by name.
@Suite struct TypeTests {
    private func type(
        _ operation: Operator, _ inputs: [TensorType], constants: [Int: [Int]] = [:], outputs: Int = 1
    ) throws -> [TensorType] {
        let names = inputs.indices.map { "i\($0)" }
        var tensors: [String: Tensor] = [:]
        for (index, values) in constants {
            tensors[names[index]] = try Tensor(values.map { Int64($0) }, shape: Shape([values.count]))
        }
        let results = (0..<outputs).map { "o\($0)" }
        let network = Network(
            name: "",
            inputs: inputs.enumerated().filter { constants[$0.offset] == nil }
                .map { .init(name: names[$0.offset], type: $0.element) },
            outputs: results.map { .init(name: $0, type: TensorType(.float32, [])) },
            nodes: [Node(name: "node", operation: operation, inputs: names, outputs: results)], constants: tensors)
        let typed = try network.folded()
        return try results.map { try #require(typed.type(of: $0)) }
    }

    private func floats(_ dimensions: [Extent]) -> TensorType { TensorType(.float32, dimensions) }
    private func fixed(_ extents: Int...) -> TensorType { TensorType(.float32, extents.map { .fixed($0) }) }
    private let vector = TensorType(.int64, [.unknown])
    private let n = Extent.symbol("N")

    // MARK: Windows

    /// How many windows fit, counted one by one.
    private func windows(
        extent: Int, before: Int, after: Int, span: Int, stride: Int, ceilMode: Bool
    ) -> Int {
        var count = 0
        while true {
            let start = count * stride - before
            let fits = start + span <= extent + after
            // A last window may hang over if it starts in the input or before it, and the one before did not end the row.
            let hangs = ceilMode && count > 0 && start < extent && (count - 1) * stride - before + span < extent + after
            if !fits && !hangs { return count }
            count += 1
        }
    }

    @Test func windowsCountedOneByOne() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<4000 {
            let (kernel, stride, dilation) = (
                generator.integer(1...4), generator.integer(1...4), generator.integer(1...3)
            )
            let span = (kernel - 1) * dilation + 1
            let extent = generator.integer(1...14)
            let (before, after) = (generator.integer(0...(kernel - 1)), generator.integer(0...(kernel - 1)))
            let ceilMode = Bool.random(using: &generator)
            let window = Window(
                kernel: [kernel], strides: [stride], dilations: [dilation],
                padding: .explicit(before: [before], after: [after]))
            let counted =
                extent + before + after < span
                ? 0
                : windows(extent: extent, before: before, after: after, span: span, stride: stride, ceilMode: ceilMode)
            #expect(
                window.outputExtent(axis: 0, extent: extent, ceilMode: ceilMode) == counted,
                "\(extent) \(before) \(after) kernel \(kernel) dilation \(dilation) stride \(stride) ceil \(ceilMode)")
        }
    }

    @Test func automaticPaddingMakesTheExtentItPromises() {
        for extent in 1...12 {
            for kernel in 1...4 {
                for stride in 1...4 {
                    for dilation in 1...2 {
                        let span = (kernel - 1) * dilation + 1
                        let wanted = (extent + stride - 1) / stride
                        var borders: [(before: Int, after: Int)] = []
                        for padding in [Window.Padding.sameUpper, .sameLower] {
                            let window = Window(
                                kernel: [kernel], strides: [stride], dilations: [dilation], padding: padding)
                            #expect(window.outputExtent(axis: 0, extent: extent) == wanted)
                            let border = window.border(axis: 0, extent: extent)
                            borders.append(border)
                            // As little as does it: none, or just enough for the last window.
                            let total = border.before + border.after
                            #expect(total == 0 || (wanted - 1) * stride + span == extent + total)
                            #expect((wanted - 1) * stride + span <= extent + total)
                        }
                        #expect(borders[0].before == borders[1].after && borders[0].after == borders[1].before)
                        #expect(borders[0].after - borders[0].before == 0 || borders[0].after - borders[0].before == 1)
                        let valid = Window(kernel: [kernel], strides: [stride], dilations: [dilation], padding: .valid)
                        #expect(
                            valid.outputExtent(axis: 0, extent: extent)
                                == (extent < span ? 0 : (extent - span) / stride + 1))
                    }
                }
            }
        }
    }

    // MARK: Broadcasting

    @Test func broadcastingAgainstTheDefinition() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<1500 {
            let shapes = (0..<generator.integer(1...3)).map { _ in
                (0..<generator.integer(0...4)).map { _ in [1, 1, 2, 3].randomElement(using: &generator) ?? 1 }
            }
            let rank = shapes.map(\.count).max() ?? 0
            var expected: [Int]? = []
            for axis in 0..<rank {
                let extents = Set(
                    shapes.map { axis - (rank - $0.count) < 0 ? 1 : $0[axis - (rank - $0.count)] }.filter { $0 != 1 })
                if extents.count > 1 { expected = nil }
                expected?.append(extents.first ?? 1)
            }
            let types = shapes.map { TensorType(.float32, $0.map { .fixed($0) }) }
            let found = try? type(.sum, types)[0].extents
            #expect(found == expected, "\(shapes)")
        }
    }

    @Test func broadcastingOfNames() throws {
        func sum(_ a: [Extent], _ b: [Extent]) throws -> [Extent] {
            try type(.arithmetic(.add), [floats(a), floats(b)])[0].dimensions
        }
        #expect(try sum([n, .fixed(3)], [n, .fixed(1)]) == [n, .fixed(3)])
        #expect(try sum([n], [.fixed(1)]) == [n])
        #expect(try sum([n], [.fixed(5)]) == [.fixed(5)])
        #expect(try sum([n], [.symbol("M")]) == [.unknown])
        #expect(try sum([.unknown], [.fixed(1)]) == [.unknown])
    }

    // MARK: Layout

    @Test func reshapeWithNames() throws {
        func reshape(_ from: [Extent], _ to: [Int], allowsZero: Bool = false) throws -> [Extent] {
            try type(.reshape(allowsZero: allowsZero), [floats(from), vector], constants: [1: to])[0].dimensions
        }
        let image = [n, .fixed(3), .fixed(4), .fixed(4)]
        #expect(try reshape(image, [0, -1]) == [n, .fixed(48)])
        #expect(try reshape(image, [-1, 48]) == [.unknown, .fixed(48)])
        #expect(try reshape(image, [0, 0, 16]) == [n, .fixed(3), .fixed(16)])
        #expect(try reshape(image, [0, 3, -1, 2]) == [n, .fixed(3), .fixed(8), .fixed(2)])
        #expect(try reshape([n], [-1]) == [n])
        #expect(try reshape([.fixed(0), .fixed(3)], [3, 0], allowsZero: true) == [.fixed(3), .fixed(0)])
        #expect(throws: NetworkError.self) { try reshape([.fixed(6)], [4, -1]) }
        #expect(throws: NetworkError.self) { try reshape([.fixed(6)], [5]) }
    }

    @Test func sliceBoundsOfAnySize() throws {
        var generator = SeededGenerator(seed: 4)
        let extremes = [Int.min, .min + 1, -7, -6, -5, -1, 0, 1, 4, 5, 6, .max - 1, .max]
        for extent in [0, 1, 2, 5] {
            for _ in 0..<600 {
                let (start, end) = (
                    extremes.randomElement(using: &generator) ?? 0, extremes.randomElement(using: &generator) ?? 0
                )
                let step = [Int.min, -6, -2, -1, 1, 2, 6, .max].randomElement(using: &generator) ?? 1
                // Every index that Python's slice would visit, found by looking at all of them.
                func absolute(_ index: Int) -> Double { index < 0 ? Double(index) + Double(extent) : Double(index) }
                var first = absolute(start)
                first = step > 0 ? max(0, min(first, Double(extent))) : max(0, min(first, Double(extent - 1)))
                if step < 0, absolute(start) < 0 { first = 0 }
                let last = absolute(end)
                var visited: [Int] = []
                var index = first
                while index >= 0, index < Double(extent), step > 0 ? index < last : index > max(last, -1) {
                    visited.append(Int(index))
                    index += Double(step)
                }
                let found = SliceCut(axis: 0, start: start, end: end, step: step).resolved(extent: extent)
                #expect(found.count == visited.count, "\(extent) [\(start):\(end):\(step)]")
                if let first = visited.first { #expect(found.first == first) }
                let typed = try type(
                    .slice, [fixed(extent), vector, vector, vector, vector],
                    constants: [1: [start], 2: [end], 3: [0], 4: [step]])
                #expect(typed[0] == fixed(visited.count))
            }
        }
    }

    @Test func otherOperations() throws {
        let image = floats([n, .fixed(3), .fixed(5), .fixed(6)])
        #expect(
            try type(.transpose(permutation: [0, 2, 3, 1]), [image])[0].dimensions == [
                n, .fixed(5), .fixed(6), .fixed(3),
            ])
        #expect(try type(.flatten(axis: 1), [image])[0].dimensions == [n, .fixed(90)])
        #expect(try type(.flatten(axis: -1), [image])[0].dimensions == [.unknown, .fixed(6)])
        #expect(try type(.flatten(axis: 0), [fixed(2, 3)])[0] == fixed(1, 6))
        #expect(
            try type(.split(axis: 2), [image], outputs: 3).map(\.dimensions[2]) == [.fixed(2), .fixed(2), .fixed(1)])
        #expect(try type(.split(axis: 0), [fixed(5)], outputs: 4).map { $0.extents ?? [] } == [[2], [2], [1], [0]])
        #expect(try type(.concat(axis: -1), [image, image])[0].dimensions[3] == .fixed(12))
        #expect(try type(.concat(axis: 0), [image, image])[0].dimensions[0] == .unknown)
        #expect(try type(.squeeze, [fixed(1, 3, 1)])[0] == fixed(3))
        #expect(try type(.unsqueeze, [image, vector], constants: [1: [-1, 1]])[0].rank == 6)
        #expect(
            try type(.gather(axis: 1), [fixed(2, 3, 4), TensorType(.int64, [.fixed(5), .fixed(6)])])[0]
                == fixed(2, 5, 6, 4))
        #expect(try type(.shape(start: 1, end: -1), [image])[0] == TensorType(.int64, [.fixed(2)]))
        #expect(try type(.shape(start: .min, end: .max), [image])[0] == TensorType(.int64, [.fixed(4)]))
        #expect(try type(.matMul, [fixed(2, 1, 3, 4), fixed(5, 4, 6)])[0] == fixed(2, 5, 3, 6))
        #expect(try type(.matMul, [fixed(4), fixed(4)])[0] == fixed())
        #expect(try type(.gemm(Gemm(transposesA: true)), [fixed(4, 2), fixed(4, 3)])[0] == fixed(2, 3))
        #expect(
            try type(.pad(.constant), [image, vector], constants: [1: [0, 1, 0, 0, 0, 0, -2, 0]])[0].dimensions == [
                n, .fixed(4), .fixed(3), .fixed(6),
            ])
        #expect(throws: NetworkError.self) { try type(.matMul, [fixed(2, 3), fixed(4, 5)]) }
        #expect(throws: NetworkError.self) { try type(.concat(axis: 1), [fixed(2, 3), fixed(3, 3)]) }
    }

    @Test func typesThatNoTensorHas() {
        #expect(throws: NetworkError.self) { try type(.identity, [fixed(-1)]) }
        #expect(throws: NetworkError.self) { try type(.identity, [fixed(1 << 40)]) }
        #expect(throws: NetworkError.self) { try type(.identity, [floats([.fixed(.max), n])]) }
        #expect(throws: NetworkError.self) { try type(.identity, [floats([Extent](repeating: n, count: 65))]) }
        #expect(throws: NetworkError.self) {
            try type(.pad(.constant), [fixed(1), vector], constants: [1: [0, .max]])
        }
        #expect(throws: NetworkError.self) { try type(.concat(axis: 0), [fixed(1 << 33), fixed(1 << 33)]) }
    }
}
