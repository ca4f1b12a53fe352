import Foundation
import MartletKernelsAVX2
import MartletKernelsAVX512
import MartletKernelsBaseline

/// Winograd's transforms of one instruction set.
struct WinogradKernels: Sendable, CustomStringConvertible {
    typealias Input = @Sendable (UnsafePointer<Float>, Int, Int, Int, Int, UnsafeMutablePointer<Float>, Int) -> Void
    typealias Output =
        @Sendable (
            UnsafePointer<Float>, Int, Int, Int, Int, UnsafePointer<Float>, UnsafePointer<Float>?, Int,
            UnsafeMutablePointer<Float>, Int, Int, Int, Float, Float
        ) -> Void

    var description: String
    var lanes: Int
    var input2, input4: Input
    var output2, output4: Output

    /// Those of the instruction sets this machine has.
    static let available: [WinogradKernels] = {
        let flags = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        var result = [
            WinogradKernels(
                description: "baseline", lanes: 4, input2: MartletKernelsBaseline.winogradInput2,
                input4: MartletKernelsBaseline.winogradInput4, output2: MartletKernelsBaseline.winogradOutput2,
                output4: MartletKernelsBaseline.winogradOutput4)
        ]
        if flags.contains(" avx2 ") {
            result.append(
                WinogradKernels(
                    description: "AVX2", lanes: 8, input2: MartletKernelsAVX2.winogradInput2,
                    input4: MartletKernelsAVX2.winogradInput4, output2: MartletKernelsAVX2.winogradOutput2,
                    output4: MartletKernelsAVX2.winogradOutput4))
        }
        if flags.contains(" avx512f ") {
            result.append(
                WinogradKernels(
                    description: "AVX-512", lanes: 16, input2: MartletKernelsAVX512.winogradInput2,
                    input4: MartletKernelsAVX512.winogradInput4, output2: MartletKernelsAVX512.winogradOutput2,
                    output4: MartletKernelsAVX512.winogradOutput4))
        }
        return result
    }()
}
