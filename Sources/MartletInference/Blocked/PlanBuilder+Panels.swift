import MartletNetworks
import MartletTensors

// Weights packed for convolutions on blocks: in half precision where the network holds them in it and they are many.

extension PlanBuilder {
    // Fewer packed weights than these are widened once: to widen them again and again would cost more than their memory is
    // worth. Winograd's are read anew for every chunk of tiles, for a few strips each time.
    private static let fewestDirect = 1 << 16
    private static let fewestWinograd = 1 << 18

    /// `[pairs][input blocks][taps][channels of the block][vectors][lanes]` from `[T, S, h, w]`.
    mutating func directPanels(
        _ name: String, _ weight: Tensor, inputLanes: Int, _ kernels: KernelSet
    ) throws -> WeightPanels {
        if keepsHalves(weight, kernels), weight.shape.elementCount >= PlanBuilder.fewestDirect {
            return .halves(
                try packedDirect(name, "direct halves", weight, inputLanes: inputLanes, lanes: kernels.lanes))
        }
        let floats = try weight.converted(to: .float32)
        return .floats(try packedDirect(name, "direct", floats, inputLanes: inputLanes, lanes: kernels.lanes))
    }

    private func keepsHalves(_ weight: Tensor, _ kernels: KernelSet) -> Bool {
        weight.elementType == .float16 && kernels.widensHalves
    }

    private mutating func packedDirect<Element: TensorElement>(
        _ name: String, _ form: String, _ weight: Tensor, inputLanes: Int, lanes: Int
    ) throws -> UnsafePointer<Element> {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let taps = weight.shape[2] * weight.shape[3]
        let outputBlocks = (outputs + lanes - 1) / lanes
        let block = inputs * taps * lanes
        return try packed(name, as: "\(form) \(inputLanes) \(lanes)", count: outputBlocks * block) { target in
            weight.withElements(of: Element.self) { source in
                guard let kernel = source.baseAddress, let base = target.baseAddress else { return }
                packDirectWeights(
                    kernel: kernel, outputs: outputs, inputs: inputs, taps: taps, inputLanes: inputLanes, lanes: lanes,
                    pairs: 0..<(outputBlocks + 1) / 2, into: base)
            }
        }
    }

    /// As ``packWinogradWeights(_:kernel:outputs:inputs:lanes:pairs:into:)`` packs them from `[T, S, r, r]`.
    mutating func winogradPanels(
        _ name: String, _ weight: Tensor, _ tile: WinogradTile, _ kernels: KernelSet
    ) throws -> WeightPanels {
        let (outputs, inputs, lanes) = (weight.shape[0], weight.shape[1], kernels.lanes)
        let count = winogradWeightCount(tile, outputs: outputs, inputs: inputs, lanes: lanes)
        guard keepsHalves(weight, kernels), count >= PlanBuilder.fewestWinograd, PlanBuilder.staysFinite(weight) else {
            return .floats(
                try packedWinograd(name, tile, lanes: lanes, outputs: outputs, inputs: inputs, fold: nil) {
                    try weight.converted(to: .float32)
                })
        }
        return .halves(
            try packed(name, as: "winograd halves \(tile) \(lanes)", count: count) { target in
                weight.withElements(of: Float16.self) { source in
                    guard let kernel = source.baseAddress, let base = target.baseAddress else { return }
                    packWinogradHalves(
                        tile, kernel: kernel, outputs: outputs, inputs: inputs, kernels: kernels, into: base)
                }
            })
    }

    /// As ``packStrassenWeights(kernel:outputs:inputs:lanes:pairs:into:)`` packs them from `[T, S, 1, 1]`. Sums of halves are
    /// rounded to half precision again.
    mutating func strassenPanels(_ name: String, _ weight: Tensor, _ kernels: KernelSet) throws -> WeightPanels {
        let (outputs, inputs, lanes) = (weight.shape[0], weight.shape[1], kernels.lanes)
        let count = strassenWeightCount(outputs: outputs, inputs: inputs, lanes: lanes)
        let pairs = (outputs + 4 * lanes - 1) / (4 * lanes)
        let floats = try weight.converted(to: .float32)
        func pack(_ pairs: Range<Int>, into target: UnsafeMutablePointer<Float>) {
            floats.withElements(of: Float.self) { source in
                guard let kernel = source.baseAddress else { return }
                packStrassenWeights(
                    kernel: kernel, outputs: outputs, inputs: inputs, lanes: lanes, pairs: pairs, into: target)
            }
        }
        guard keepsHalves(weight, kernels), weight.shape.elementCount >= PlanBuilder.fewestDirect,
            PlanBuilder.staysFinite(weight)
        else {
            return .floats(
                try packed(name, as: "strassen \(lanes)", count: count) { target in
                    if let base = target.baseAddress { pack(0..<pairs, into: base) }
                })
        }
        return .halves(
            try packed(name, as: "strassen halves \(lanes)", count: count) { target in
                guard let base = target.baseAddress else { return }
                var widened = [Float](repeating: 0, count: count)
                widened.withUnsafeMutableBufferPointer { buffer in
                    guard let floats = buffer.baseAddress else { return }
                    pack(0..<pairs, into: floats)
                    kernels.narrowToHalves(floats, count: count, into: base)
                }
            })
    }

    /// Whether weights in half precision are so again after a Winograd transform, or Strassen's sums, which make them at most
    /// four times as large.
    private static func staysFinite(_ weight: Tensor) -> Bool {
        let largest = weight.withUnsafeBytes { bytes in
            bytes.bindMemory(to: UInt16.self).reduce(0) { max($0, $1 & 0x7FFF) }
        }
        return Float16(bitPattern: largest) < 16_000
    }
}
