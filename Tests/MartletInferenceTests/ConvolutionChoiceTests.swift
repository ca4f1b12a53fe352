import MartletNetworks
import Testing

@testable import MartletInference

@Suite struct ConvolutionChoiceTests {
    private func choice(weightBytes: Int) -> ConvolutionChoice {
        ConvolutionChoice(lanes: 16, weightBytes: weightBytes)
    }

    private func square(_ side: Int, stride: Int = 1) -> Convolution {
        Convolution(
            window: Window(
                kernel: [side, side], strides: [stride, stride],
                padding: .explicit(before: [side / 2, side / 2], after: [side / 2, side / 2])))
    }

    /// The layers of ResNet-18 and of a CIFAR network, as measured.
    @Test func choosesWhatWasMeasuredToBeFaster() {
        let large = choice(weightBytes: 46 << 20)
        #expect(large.algorithm(for: square(3), input: [1, 64, 56, 56], output: [1, 64, 56, 56]) == .winograd(.f4x3))
        #expect(large.algorithm(for: square(3), input: [1, 512, 7, 7], output: [1, 512, 7, 7]) == .winograd(.f2x3))
        #expect(large.algorithm(for: square(1), input: [1, 64, 56, 56], output: [1, 64, 56, 56]) == .direct)
        #expect(large.algorithm(for: square(1), input: [1, 1024, 14, 14], output: [1, 256, 14, 14]) == .strassen)
        #expect(large.algorithm(for: square(1), input: [1, 2048, 7, 7], output: [1, 512, 7, 7]) == .strassen)
        let halving = square(3, stride: 2)
        #expect(
            large.algorithm(for: halving, input: [1, 128, 56, 56], output: [1, 128, 28, 28]) == .winograd(.f2x3By2))
        #expect(large.algorithm(for: halving, input: [1, 512, 14, 14], output: [1, 512, 7, 7]) == .winograd(.f2x3By2))
        let small = choice(weightBytes: 1 << 20)
        #expect(small.algorithm(for: square(3), input: [1, 64, 8, 8], output: [1, 64, 8, 8]) == .winograd(.f4x3))
        #expect(small.algorithm(for: square(5), input: [1, 16, 28, 28], output: [1, 32, 28, 28]) == .winograd(.f2x5))
    }

    @Test func foldsStems() {
        let stem = choice(weightBytes: 46 << 20).fold(
            for: square(7, stride: 2), input: [1, 3, 224, 224], output: [1, 64, 112, 112])
        #expect(stem?.tile == .f3x4 && stem?.fold.foldedChannels == 12)
        #expect(
            choice(weightBytes: 46 << 20).fold(
                for: square(3, stride: 2), input: [1, 64, 56, 56], output: [1, 128, 28, 28]) == nil)
    }

    /// A file may say any extents; the choice is made before memory for them is asked for.
    @Test func extentsOfAnySizeDoNotOverflow() {
        let side = 1 << 40
        _ = choice(weightBytes: 1).algorithm(
            for: square(3), input: [1, 1 << 20, side, side], output: [1, 1 << 20, side, side])
        _ = choice(weightBytes: 1).algorithm(
            for: square(3, stride: 2), input: [1, 1 << 20, 2 * side, side], output: [1, 1 << 20, side, side])
        _ = choice(weightBytes: 1).fold(
            for: square(7, stride: 2), input: [1, 3, side, side], output: [1, 64, side, side])
    }

    @Test func anotherAxisOfTheBatchsNameRunsAsAWhole() throws {
        func network(_ width: Extent) throws -> TypedNetwork {
            var network = Network(name: "relu", inputs: [], outputs: [], nodes: [])
            let type = TensorType(.float32, [.symbol("N"), .fixed(3), .fixed(4), width])
            network.inputs = [.init(name: "x", type: type)]
            network.outputs = [.init(name: "y", type: type)]
            network.nodes = [Node(name: "relu", operation: .activation(.relu), inputs: ["x"], outputs: ["y"])]
            return try network.folded()
        }
        #expect(try network(.fixed(4)).treatsImagesAlone)
        #expect(try !network(.symbol("N")).treatsImagesAlone)
    }
}
