import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

/// Runs a network of one picture on blocks, with an algorithm wherever it can be used, against the same network through BLAS; then
/// on other numbers of threads and image by image, which must give the same to the bit.
///
/// - Returns: The convolutions that were computed by the algorithm.
func compareWithBLAS(
    _ network: Network, on x: Tensor, set: InstructionSet, algorithm: ConvolutionAlgorithm
) throws -> [Tuning.Problem] {
    var options = Executor.Options()
    options.usesBlocks = false
    let expected = try #require(
        try Executor(network: network, pool: pools[0], options: options).run(["input": x]).values.first)
    options.usesBlocks = true
    options.instructionSet = set
    options.prefers = algorithm
    let executor = try Executor(network: network, pool: pools[0], options: options)
    let times = try executor.convolutionTimes(["input": x], seconds: 0)
    let result = try #require(try executor.run(["input": x]).values.first)
    #expect(try relativeDifference(result.floats, expected.floats.map { Double($0) }) < 2e-5)
    for threads in [2, 3] {
        let other = try Executor(network: network, pool: pools[threads - 1], options: options)
        #expect(try other.run(["input": x]).values.first == result)
        let alone = try (0..<x.shape[0]).flatMap { index in
            try #require(try other.run(["input": try x.images(index..<index + 1)]).values.first).floats
        }
        #expect(try alone == result.floats)
    }
    return times.filter { $0.algorithm == algorithm }.map(\.problem)
}
