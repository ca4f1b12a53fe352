import MartletTensors
import Testing

@Suite struct AlignedMemoryTests {
    /// Sizes on both sides of every border between the ways memory is had.
    static let sizes = [0, 1, 4095, 32767, 32768, 32769, 100_000, 4 << 20, (4 << 20) + 1, 9 << 20]

    @Test func piecesAreZeroAlignedAndApart() throws {
        let pieces = try (AlignedMemoryTests.sizes + AlignedMemoryTests.sizes).map { try AlignedMemory(zeroed: $0) }
        for piece in pieces {
            #expect(Int(bitPattern: piece.base) % AlignedMemory.alignment == 0)
            let bytes = UnsafeMutableRawBufferPointer(start: piece.base, count: piece.byteCount)
            #expect(bytes.allSatisfy { $0 == 0 })
        }
        for (index, piece) in pieces.enumerated() {
            UnsafeMutableRawBufferPointer(start: piece.base, count: piece.byteCount)
                .initializeMemory(as: UInt8.self, repeating: UInt8(index + 1))
        }
        for (index, piece) in pieces.enumerated() {
            let bytes = UnsafeMutableRawBufferPointer(start: piece.base, count: piece.byteCount)
            #expect(bytes.allSatisfy { $0 == UInt8(index + 1) })
        }
    }

    @Test func aPieceThatIsFreedLeavesItsNeighbours() throws {
        let first = try AlignedMemory(zeroed: 100_001)
        var second: AlignedMemory? = try AlignedMemory(zeroed: 100_001)
        let third = try AlignedMemory(zeroed: 100_001)
        for piece in [first, third] {
            UnsafeMutableRawBufferPointer(start: piece.base, count: piece.byteCount)
                .initializeMemory(as: UInt8.self, repeating: 7)
        }
        second?.base.storeBytes(of: 9, as: UInt8.self)
        second = nil
        for piece in [first, third] {
            #expect(UnsafeRawBufferPointer(start: piece.base, count: piece.byteCount).allSatisfy { $0 == 7 })
        }
    }

    @Test func moreThanThereIsIsRefused() {
        #expect(throws: TensorError.outOfMemory(bytes: .max)) { try AlignedMemory(zeroed: .max) }
        #expect(throws: TensorError.outOfMemory(bytes: .max - 64)) { try AlignedMemory(zeroed: .max - 64) }
    }
}
