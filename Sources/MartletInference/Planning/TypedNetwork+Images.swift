import MartletNetworks
import MartletTensors

extension TypedNetwork {
    /// Whether the network does the same to every image of a batch, so that running it on one image after the other gives
    /// what running it on the batch does.
    ///
    /// That holds if all that is computed counts the images along its first axis, under the name that the only input's first
    /// axis has, and no node looks from one image at another. Types must be those of the network for any batch.
    var treatsImagesAlone: Bool {
        guard network.inputs.count == 1, let input = types[network.inputs[0].name],
            case .symbol(let batch)? = input.dimensions.first,
            // Another axis as long as the batch would not be one long.
            !input.dimensions.dropFirst().contains(.symbol(batch))
        else { return false }
        func countsImages(_ value: String?) -> Bool {
            guard let value, let type = types[value], network.constants[value] == nil else { return false }
            return type.dimensions.first == .symbol(batch)
        }
        return network.outputs.allSatisfy { countsImages($0.name) }
            && network.nodes.allSatisfy { node in
                countsImages(node.input(0)) && node.outputs.allSatisfy { $0 == nil || countsImages($0) }
                    && treatsImagesAlone(node, countsImages: countsImages)
            }
    }

    /// Whether a node whose first input and whose results count images looks at one image at a time.
    private func treatsImagesAlone(_ node: Node, countsImages: (String?) -> Bool) -> Bool {
        let rank = node.input(0).flatMap { types[$0]?.rank } ?? 0
        /// A parameter, the same for all images.
        func isShared(_ index: Int) -> Bool {
            guard let name = node.input(index) else { return true }
            return network.constants[name] != nil
        }
        /// A parameter that is broadcast along the images, or a value that counts them.
        func isAligned(_ index: Int) -> Bool {
            guard let name = node.input(index) else { return true }
            guard let constant = network.constants[name] else { return countsImages(name) && types[name]?.rank == rank }
            return constant.shape.rank < rank || constant.shape.extents.first == 1
        }
        func numbers(_ index: Int) -> [Int64]? {
            guard let name = node.input(index), let tensor = network.constants[name], tensor.elementType == .int64
            else {
                return nil
            }
            return tensor.withElements(of: Int64.self) { Array($0) }
        }
        func isOtherAxis(_ axis: Int) -> Bool { axis != 0 && axis != -rank }
        switch node.operation {
        case .convolution: return isShared(1) && isShared(2) && (node.input(3) == nil || countsImages(node.input(3)))
        case .batchNormalization, .activation, .clip, .maxPool, .averagePool, .globalAveragePool, .globalMaxPool,
            .localResponseNormalization, .dropout, .identity, .cast:
            return node.inputs.indices.dropFirst().allSatisfy(isShared)
        case .arithmetic, .sum, .parametricRelu: return node.inputs.indices.allSatisfy(isAligned)
        case .concat(let axis):
            return isOtherAxis(axis) && node.inputs.allSatisfy { countsImages($0) }
        case .split(let axis): return isOtherAxis(axis) && isShared(1)
        case .gemm(let gemm): return !gemm.transposesA && isShared(1) && isShared(2) && isAligned(2)
        case .matMul: return rank >= 2 && isShared(1) && node.input(1).flatMap { types[$0]?.rank } == 2
        case .flatten(let axis): return axis == 1
        case .reshape, .unsqueeze: return isShared(1)
        case .squeeze: return isShared(1) && node.input(1) != nil
        case .transpose(let permutation): return permutation?.first == 0
        case .softmax(let softmax): return isOtherAxis(softmax.axis)
        case .reduceMean: return numbers(1)?.allSatisfy { isOtherAxis(Int($0)) } ?? false
        case .slice:
            return node.inputs.indices.dropFirst().allSatisfy(isShared)
                && numbers(3)?.allSatisfy { isOtherAxis(Int($0)) } ?? false
        case .pad:
            guard node.input(3) == nil, isShared(2), let pads = numbers(1), pads.count == 2 * rank else { return false }
            return pads[0] == 0 && pads[rank] == 0
        case .quantizeLinear(let axis, _), .dequantizeLinear(let axis):
            return isOtherAxis(axis) && isShared(1) && isShared(2)
        case .quantizedConvolution, .integerConvolution:
            return node.inputs.indices.dropFirst().allSatisfy(isShared)
        case .quantizedMatMul:
            return rank >= 2 && node.inputs.indices.dropFirst().allSatisfy(isShared)
                && node.input(3).flatMap { types[$0]?.rank } == 2
        // Scales and zero points of the whole batch, or of each of its rows.
        case .dynamicQuantizeLinear, .integerMatMul: return false
        case .constantOfShape, .shape, .gather, .expand, .equal, .select: return false
        }
    }
}
