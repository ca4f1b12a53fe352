import MartletTestSupport
import Testing

@testable import MartletInference

extension KernelSet: CustomTestStringConvertible {
    /// The kernels of every instruction set that this machine has.
    static let available = InstructionSet.allCases.filter(\.isSupported).map { KernelSet($0) }

    public var testDescription: String { instructionSet.rawValue }
}

/// A buffer of random numbers whose ends are guarded: bytes written around it are found when it is checked.
final class GuardedBuffer {
    private static let margin = 64
    private static let mark: Float = -12345.5
    private let memory: UnsafeMutableBufferPointer<Float>
    let count: Int

    /// The first element of `count`.
    var start: UnsafeMutablePointer<Float> { memory.baseAddress.unsafelyUnwrapped + Self.margin }

    init(_ elements: [Float]) {
        count = elements.count
        memory = .allocate(capacity: elements.count + 2 * Self.margin)
        memory.initialize(repeating: Self.mark)
        for (i, element) in elements.enumerated() { memory[Self.margin + i] = element }
    }

    deinit { memory.deallocate() }

    var elements: [Float] { Array(memory[Self.margin..<(Self.margin + count)]) }

    var isIntact: Bool {
        memory[..<Self.margin].allSatisfy { $0 == Self.mark }
            && memory[(Self.margin + count)...].allSatisfy { $0 == Self.mark }
    }
}

/// A pair of clamps: none, ReLU, both sides.
let clampChoices: [(minimum: Float, maximum: Float)] = [(-.infinity, .infinity), (0, .infinity), (-0.4, 0.6)]
