import MartletTensors
import Testing

@Suite struct ShapeTests {
    @Test func countsElements() throws {
        #expect(try Shape([2, 3, 4]).elementCount == 24)
        #expect(try Shape([]).elementCount == 1)
        #expect(try Shape([5, 0, 7]).elementCount == 0)
        #expect(try Shape([2, 3, 4]).strides == [12, 4, 1])
    }

    @Test func refusesHostileExtents() {
        #expect(throws: TensorError.negativeExtent([2, -1])) { try Shape([2, -1]) }
        #expect(throws: TensorError.sizeOverflow([Int.max, 2])) { try Shape([.max, 2]) }
        #expect(throws: TensorError.tooManyElements([1 << 20, 1 << 20])) { try Shape([1 << 20, 1 << 20]) }
        #expect(throws: TensorError.self) { try Shape([0, .max, 3]) }
    }
}

@Suite struct TensorTests {
    @Test func copiesAreValues() throws {
        let original = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        var copy = original
        try copy.withMutableElements(of: Float.self) { $0[0] = 9 }
        #expect(try original.elements(Float.self) == [1, 2, 3, 4])
        #expect(try copy.elements(Float.self) == [9, 2, 3, 4])
        #expect(original != copy)
    }

    @Test func isAligned() throws {
        let tensor = try Tensor([1] as [Float], shape: [1])
        tensor.withUnsafeBytes { #expect(Int(bitPattern: $0.baseAddress) % 64 == 0) }
    }

    @Test func refusesWrongCounts() {
        #expect(throws: TensorError.elementCountMismatch(shape: [3], count: 2)) {
            try Tensor([1, 2] as [Int64], shape: [3])
        }
    }

    @Test func refusesWrongTypes() throws {
        let tensor = try Tensor([1, 2] as [Int64], shape: [2])
        #expect(throws: TensorError.elementTypeMismatch(expected: .float32, found: .int64)) {
            try tensor.elements(Float.self)
        }
    }

    @Test func convertsBetweenTypes() throws {
        let tensor = try Tensor([-1.7, 0, 2.5, 300, .nan, .infinity] as [Float], shape: [6])
        #expect(try tensor.converted(to: .int8).elements(Int8.self) == [-1, 0, 2, 127, 0, 127])
        #expect(try tensor.converted(to: .bool).elements(Bool.self) == [true, false, true, true, true, true])
        let integers = try Tensor([-1, 0, 70_000] as [Int32], shape: [3])
        #expect(try integers.converted(to: .uint16).elements(UInt16.self) == [0, 0, 65_535])
        #expect(try integers.converted(to: .float64).elements(Double.self) == [-1, 0, 70_000])
    }
}
