import Foundation
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletInference

@Suite struct TuningTests {
    private func network() throws -> (Network, [String: Tensor]) {
        var generator = SeededGenerator(seed: 3)
        let input = try Tensor(generator.floats(3 * 144), shape: [1, 3, 12, 12])
        return (try SmallNetwork.residual(), ["input": input])
    }

    @Test func measuresWhatFitsEachConvolution() throws {
        let (network, input) = try network()
        var steps: [Int] = []
        let tuning = try Tuning(measuring: network, on: input, pool: pools[1], seconds: 0.002) { done, _ in
            steps.append(done)
        }
        #expect(steps.first == 0 && steps == steps.sorted())
        let square = try #require(tuning.choices.first { $0.problem.inputs == 8 && $0.problem.output == [8, 12, 12] })
        #expect(Set(square.milliseconds.keys) == ["direct", "Winograd F(2,3)", "Winograd F(4,3)"])
        for choice in tuning.choices {
            #expect(choice.milliseconds[choice.algorithm] == choice.milliseconds.values.min())
        }
        // The pointwise convolution has one algorithm only.
        #expect(!tuning.choices.contains { $0.problem.kernel == [1, 1] })
        #expect(try tuning.isValid(for: network, on: input, set: try InstructionSet.chosen()))
        #expect(try JSONDecoder().decode(Tuning.self, from: JSONEncoder().encode(tuning)) == tuning)
    }

    @Test func choicesAreFollowed() throws {
        let (network, input) = try network()
        var tuning = try Tuning(measuring: network, on: input, pool: pools[0], seconds: 0.001)
        let untuned = try Executor(network: network, pool: pools[0]).run(input)
        for algorithm in ["direct", "Winograd F(2,3)", "Winograd F(4,3)"] {
            for index in tuning.choices.indices where tuning.choices[index].milliseconds[algorithm] != nil {
                tuning.choices[index].algorithm = algorithm
            }
            var options = Executor.Options()
            options.tuning = tuning
            let executor = try Executor(network: network, pool: pools[1], options: options)
            let used = try executor.convolutionTimes(input, seconds: 0.001)
            for choice in tuning.choices {
                #expect(used.first { $0.problem == choice.problem }?.algorithm.title == choice.algorithm)
            }
            for (name, expected) in untuned {
                let found = try #require(try executor.run(input)[name])
                #expect(
                    try relativeDifference(found.elements(Float.self), expected.elements(Float.self).map { Double($0) })
                        < 1e-5)
            }
        }
    }

    @Test func anotherNetworkOrProcessorIsMeasuredAgain() throws {
        let (network, input) = try network()
        let set = try InstructionSet.chosen()
        var tuning = try Tuning(measuring: network, on: input, pool: pools[0], seconds: 0.001)
        let other = try SmallNetwork.residual(channels: 4)
        let wider = ["input": try Tensor(zeros: [1, 4, 12, 12], elementType: .float32)]
        #expect(try !tuning.isValid(for: other, on: wider, set: set))
        tuning.processor += " II"
        #expect(try !tuning.isValid(for: network, on: input, set: set))
    }
}
