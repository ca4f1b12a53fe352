import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct ArithmeticEvaluationTests {
    private func check<Element: TensorElement>(
        seed: UInt64, element: (inout SeededGenerator) -> Element, _ arithmetic: Arithmetic,
        _ function: (Element, Element) -> Element
    ) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            let (shapes, common) = generator.broadcastable(2)
            let operands = try shapes.map { extents in
                try Tensor((0..<extents.reduce(1, *)).map { _ in element(&generator) }, shape: Shape(extents))
            }
            let (a, b) = (try operands[0].elements(Element.self), try operands[1].elements(Element.self))
            let expected = positions(common).map {
                function(a[broadcastOffset($0, shapes[0])], b[broadcastOffset($0, shapes[1])])
            }
            #expect(try result(.arithmetic(arithmetic), operands, common, as: Element.self) == expected, "\(shapes)")
        }
    }

    private func checkIntegers<Element: TensorElement & FixedWidthInteger>(_: Element.Type) throws {
        func any(_ generator: inout SeededGenerator) -> Element { .random(in: .min ... .max, using: &generator) }
        try check(seed: 1, element: any, .add) { $0 &+ $1 }
        try check(seed: 2, element: any, .subtract) { $0 &- $1 }
        try check(seed: 3, element: any, .multiply) { $0 &* $1 }
        func notZero(_ generator: inout SeededGenerator) -> Element { .random(in: 1 ... .max, using: &generator) }
        try check(seed: 4, element: notZero, .divide) { $0 / $1 }
    }

    @Test func integersWrap() throws {
        try checkIntegers(Int8.self)
        try checkIntegers(Int16.self)
        try checkIntegers(Int32.self)
        try checkIntegers(Int64.self)
        try checkIntegers(UInt8.self)
        try checkIntegers(UInt16.self)
        try checkIntegers(UInt32.self)
        try checkIntegers(UInt64.self)
    }

    private func checkFloats<Element: TensorElement & BinaryFloatingPoint>(_: Element.Type) throws
    where Element.RawSignificand: FixedWidthInteger {
        func any(_ generator: inout SeededGenerator) -> Element { .random(in: -9...9, using: &generator) }
        try check(seed: 5, element: any, .add) { $0 + $1 }
        try check(seed: 6, element: any, .subtract) { $0 - $1 }
        try check(seed: 7, element: any, .multiply) { $0 * $1 }
        try check(seed: 8, element: any, .divide) { $0 / $1 }
    }

    @Test func floatingPoint() throws {
        try checkFloats(Float.self)
        try checkFloats(Double.self)
        try checkFloats(Float16.self)
    }

    @Test func integerDivisionTruncatesAndNeverTraps() throws {
        let a = try Tensor([Int32(7), -7, .min, .min], shape: [4])
        let b = try Tensor([Int32(2), 2, -1, 1], shape: [4])
        #expect(try result(.arithmetic(.divide), [a, b], [4], as: Int32.self) == [3, -3, .min, .min])
        let zero = try Tensor([Int32(0)], shape: [1])
        #expect(throws: NetworkError.self) { try evaluate(.arithmetic(.divide), [a, zero], [(.int32, [4])]) }
    }

    @Test func sumOfSeveral() throws {
        var generator = SeededGenerator(seed: 9)
        for round in 0..<40 {
            let (shapes, common) = generator.broadcastable(1 + round % 4)
            let operands = try shapes.map { extents in
                try Tensor(
                    (0..<extents.reduce(1, *)).map { _ in Int64(generator.integer(-99...99)) }, shape: Shape(extents))
            }
            let values = try operands.map { try $0.elements(Int64.self) }
            let expected = positions(common).map { position in
                zip(values, shapes).reduce(Int64(0)) { $0 + $1.0[broadcastOffset(position, $1.1)] }
            }
            #expect(try result(.sum, operands, common, as: Int64.self) == expected)
        }
    }

    @Test func contradictionsThrow() throws {
        let (a, b) = (try numbered([2, 3]), try numbered([2]))
        #expect(throws: NetworkError.self) { try evaluate(.arithmetic(.add), [a, b], [(.int32, [2, 3])]) }
        #expect(throws: NetworkError.self) { try evaluate(.arithmetic(.add), [a, a], [(.int32, [3, 2])]) }
        #expect(throws: NetworkError.self) { try evaluate(.arithmetic(.add), [a, a], [(.int64, [2, 3])]) }
        #expect(throws: NetworkError.self) { try evaluate(.arithmetic(.add), [a, nil], [(.int32, [2, 3])]) }
        #expect(throws: NetworkError.self) { try evaluate(.sum, [], [(.int32, [2, 3])]) }
        let flags = try Tensor([true, false], shape: [2])
        #expect(throws: NetworkError.self) { try evaluate(.arithmetic(.add), [flags, flags], [(.bool, [2])]) }
    }

    @Test func clipOnAnyType() throws {
        let x = try Tensor([Int8(-100), -3, 0, 5, 127], shape: [5])
        let (low, high) = (try Tensor([Int8(-4)], shape: []), try Tensor([Int8(6)], shape: []))
        #expect(try result(.clip, [x, low, high], [5], as: Int8.self) == [-4, -3, 0, 5, 6])
        #expect(try result(.clip, [x, nil, high], [5], as: Int8.self) == [-100, -3, 0, 5, 6])
        #expect(try result(.clip, [x], [5], as: Int8.self) == [-100, -3, 0, 5, 127])
        let floats = try Tensor([Float(-1), 0.5, .nan], shape: [3])
        let clipped = try result(.clip, [floats, try Tensor([Float(0)], shape: [])], [3], as: Float.self)
        #expect(clipped[0] == 0 && clipped[1] == 0.5 && clipped[2].isNaN)
        #expect(throws: NetworkError.self) { try evaluate(.clip, [x, x], [(.int8, [5])]) }
    }

    @Test func comparison() throws {
        let a = try Tensor([Float(1), -0.0, .nan, 4], shape: [2, 2])
        let b = try Tensor([Float(1), 0, .nan, 5], shape: [2, 2])
        #expect(try result(.equal, [a, b], [2, 2], as: Bool.self) == [true, true, false, false])
        // Any byte but zero is true.
        let bytes: [UInt8] = [2, 0, 1]
        let flags = try bytes.withUnsafeBytes { try Tensor(elementType: .bool, shape: [3], bytes: $0) }
        let expected = try Tensor([true, true, true], shape: [3])
        #expect(try result(.equal, [flags, expected], [3], as: Bool.self) == [true, false, true])
    }

    @Test func selection() throws {
        var generator = SeededGenerator(seed: 10)
        for _ in 0..<30 {
            let (shapes, common) = generator.broadcastable(3)
            let condition = (0..<shapes[0].reduce(1, *)).map { _ in Bool.random(using: &generator) }
            let (a, b) = (try numbered(shapes[1]), try numbered(shapes[2]))
            let expected = positions(common).map {
                condition[broadcastOffset($0, shapes[0])]
                    ? Int32(broadcastOffset($0, shapes[1])) : Int32(broadcastOffset($0, shapes[2]))
            }
            let inputs = [try Tensor(condition, shape: Shape(shapes[0])), a, b]
            #expect(try result(.select, inputs, common, as: Int32.self) == expected)
        }
    }

    @Test func meansOverAnyAxes() throws {
        var generator = SeededGenerator(seed: 11)
        for round in 0..<40 {
            let extents = generator.extents(1...4)
            let x = generator.floats(extents.reduce(1, *))
            let axes = (0..<extents.count).filter { _ in generator.integer(0...1) == 0 }
            let reduced = axes.isEmpty ? Array(extents.indices) : axes
            let keeps = round % 2 == 0
            let withOnes = extents.indices.map { reduced.contains($0) ? 1 : extents[$0] }
            var sums = [Double](repeating: 0, count: withOnes.reduce(1, *))
            for (value, position) in zip(x, positions(extents)) {
                sums[broadcastOffset(position, withOnes)] += Double(value)
            }
            let count = Double(x.count / sums.count)
            let output = keeps ? withOnes : extents.indices.filter { !reduced.contains($0) }.map { extents[$0] }
            let given = axes.isEmpty ? nil : try vector(axes.map { $0 - extents.count })
            let found = try result(
                .reduceMean(keepsAxes: keeps, keepsInputIfNoAxes: false),
                [try Tensor(x, shape: Shape(extents)), given], output, as: Float.self)
            #expect(relativeDifference(found, sums.map { $0 / count }) < 1e-6)
        }
        let x = try Tensor([Double(1), 2], shape: [2])
        let nothing = Operator.reduceMean(keepsAxes: true, keepsInputIfNoAxes: true)
        #expect(try result(nothing, [x], [2], as: Double.self) == [1, 2])
    }
}
