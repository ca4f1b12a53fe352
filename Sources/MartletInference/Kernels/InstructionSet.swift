import CMartletIntrinsics
import Foundation

/// The instruction sets that kernels are built for, from the oldest.
public enum InstructionSet: String, CaseIterable, Sendable {
    /// What every processor of the architecture has: SSE2 on x86-64, NEON on arm64. Vectors of 4 floats.
    case baseline
    /// x86-64-v3: AVX2, FMA, F16C. Vectors of 8 floats.
    case avx2
    /// x86-64-v4: AVX-512 F, BW, CD, DQ and VL. Vectors of 16 floats.
    case avx512
    /// The same with AVX-512 VNNI, sums of products of bytes: of use to quantised networks alone.
    case avx512VNNI = "avx512vnni"

    /// Names the instruction set to use in place of the best one, for tests: a case of this enumeration.
    public static let environmentVariable = "MARTLET_ISA"

    /// Whether this processor and this operating system have it.
    public var isSupported: Bool {
        switch self {
        case .baseline: true
        case .avx2: martlet_supports_x86_64_v3()
        case .avx512: martlet_supports_x86_64_v4()
        case .avx512VNNI: martlet_supports_avx512_vnni()
        }
    }

    /// Whether this processor begins two products of its vectors of bytes in a cycle: beside them all else is as much dearer.
    var doublesByteProducts: Bool { self == .avx512VNNI && martlet_doubles_wide_products() }

    /// The newest one that is supported.
    public static var best: InstructionSet { allCases.last { $0.isSupported } ?? .baseline }

    /// The one that ``environmentVariable`` names, or the best where it is not set or empty.
    ///
    /// - Throws: `InstructionSetError` for a name that is none, or of one this machine does not have.
    public static func chosen(
        by environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(InstructionSetError) -> InstructionSet {
        guard let name = environment[environmentVariable], !name.isEmpty else { return best }
        guard let set = InstructionSet(rawValue: name) else { throw .unknown(name) }
        guard set.isSupported else { throw .unsupported(set) }
        return set
    }
}
