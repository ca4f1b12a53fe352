import MartletNetworks
import MartletTensors

/// Floats quantised to bytes one by one, wherever they lie.
struct QuantizeBytes: Step {
    let x: UnsafePointer<Float>
    let y: UnsafeMutablePointer<UInt8>
    let count: Int
    let quantization: ByteQuantization
    let kernels: QuantizedKernelSet

    func run(_ context: StepContext) {
        let (x, y, quantization, kernels) = (x, y, quantization, kernels)
        let (low, high) = (Float(-quantization.zeroPoint), Float(255 - quantization.zeroPoint))
        context.forEachPart(of: count, size: 1 << 13) { part in
            kernels.quantizeRow(
                input: x + part.lowerBound, count: part.count, output: y + part.lowerBound, outputStep: kernels.lanes,
                scale: quantization.scale, minimum: low, maximum: high, zeroPoint: quantization.zeroPoint)
        }
    }
}

/// Bytes dequantised to floats one by one.
struct DequantizeBytes: Step {
    let x: UnsafePointer<UInt8>
    let y: UnsafeMutablePointer<Float>
    let count: Int
    let quantization: ByteQuantization
    let kernels: QuantizedKernelSet

    func run(_ context: StepContext) {
        let (x, y, quantization, kernels) = (x, y, quantization, kernels)
        context.forEachPart(of: count, size: 1 << 13) { part in
            let whole = part.count / kernels.lanes * kernels.lanes
            kernels.dequantizeRow(
                input: x + part.lowerBound, inputStep: kernels.lanes, count: whole, output: y + part.lowerBound,
                scale: quantization.scale, zeroPoint: quantization.zeroPoint)
            for index in part.dropFirst(whole) {
                y[index] = Float(Int(x[index]) - quantization.zeroPoint) * quantization.scale
            }
        }
    }
}

extension PlanBuilder {
    /// The step of a quantisation to bytes, or from them, with one scale; `nil` for any other.
    func bytesOneByOne(_ node: Node) throws -> (any Step)? {
        guard let kernels, let scale = constant(node, 1)?.tensor else { return nil }
        if node.input(2) != nil, constant(node, 2) == nil { return nil }
        let (x, y) = (try input(node, 0), try output(node))
        let bytes = x.elementType == .float32 ? y.elementType : x.elementType
        guard bytes == .uint8, x.elementType == .float32 || y.elementType == .float32,
            let quantization = ByteQuantization(scale: scale, zeroPoint: constant(node, 2)?.tensor, type: bytes)
        else { return nil }
        let (count, set) = (x.shape.elementCount, QuantizedKernelSet(kernels.instructionSet))
        if x.elementType == .float32 {
            return QuantizeBytes(
                x: x.floats, y: y.base.assumingMemoryBound(to: UInt8.self), count: count, quantization: quantization,
                kernels: set)
        }
        return DequantizeBytes(
            x: x.base.assumingMemoryBound(to: UInt8.self), y: y.floats, count: count, quantization: quantization,
            kernels: set)
    }
}
