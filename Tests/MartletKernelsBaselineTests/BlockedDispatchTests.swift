import MartletTestSupport
import Testing

@testable import MartletInference

/// Which kernels are chosen.
@Suite struct BlockedDispatchTests {
    private let variable = InstructionSet.environmentVariable

    @Test func theBestIsTheLastSupported() throws {
        #expect(InstructionSet.baseline.isSupported)
        #expect(try InstructionSet.chosen(by: [:]) == InstructionSet.best)
        #expect(try InstructionSet.chosen(by: [variable: ""]) == InstructionSet.best)
        #expect(InstructionSet.best.isSupported)
        // Newer sets contain the older ones.
        #expect(!InstructionSet.avx512.isSupported || InstructionSet.avx2.isSupported)
    }

    @Test func theEnvironmentForcesOne() throws {
        for set in InstructionSet.allCases {
            if set.isSupported {
                #expect(try InstructionSet.chosen(by: [variable: set.rawValue]) == set)
            } else {
                #expect(throws: InstructionSetError.unsupported(set)) {
                    try InstructionSet.chosen(by: [variable: set.rawValue])
                }
            }
        }
    }

    @Test func anUnknownNameIsAnError() throws {
        let error = #expect(throws: InstructionSetError.unknown("AVX2")) {
            try InstructionSet.chosen(by: [variable: "AVX2"])
        }
        #expect(error?.description.contains("MARTLET_ISA") == true && error?.remedy?.contains("baseline") == true)
    }

    @Test func lanesAreTheRegisters() {
        #expect(KernelSet(.baseline).lanes == 4)
        #if arch(x86_64)
            #expect(KernelSet(.avx2).lanes == 8)
            #expect(KernelSet(.avx512).lanes == 16)
        #endif
    }
}
