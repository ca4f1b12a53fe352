import MartletNetworks
import MartletTensors

extension NodeReader {
    /// An operator on quantized numbers, `nil` if it is none of them.
    mutating func quantization() throws -> Operator? {
        switch proto.opType {
        case "QuantizeLinear":
            // Of floating-point targets, which there are none of here.
            attributes.ignore("saturate")
            let axis = try axisOfScales()
            let number = try attributes.integer("output_dtype", default: 0)
            if number == 0 { return .quantizeLinear(axis: axis, type: .uint8) }
            guard let number = Int32(exactly: number), let type = ElementType(onnx: number) else {
                throw AttributeReader.Defect.unsupported(
                    "a quantization to \(ElementType.name(onnx: Int32(clamping: number)))")
            }
            return .quantizeLinear(axis: axis, type: type)
        case "DequantizeLinear": return .dequantizeLinear(axis: try axisOfScales())
        case "DynamicQuantizeLinear": return .dynamicQuantizeLinear
        case "QLinearConv": return .quantizedConvolution(try convolution(weight: 3))
        case "QLinearMatMul": return .quantizedMatMul
        case "ConvInteger": return .integerConvolution(try convolution(weight: 1))
        case "MatMulInteger": return .integerMatMul
        default: return nil
        }
    }

    private mutating func axisOfScales() throws -> Int {
        if try attributes.integer("block_size", default: 0) != 0 {
            throw AttributeReader.Defect.unsupported("scales for blocks of elements")
        }
        return try attributes.integer("axis", default: 1)
    }
}
