import MartletKernelsBaseline
import MartletTensors

extension Evaluation {
    func shape(start: Int, end: Int?) throws {
        let extents = try input(0).shape.extents
        let range = TypeInference.shapeRange(start, end, rank: extents.count)
        let output = try output(.int64, [range.count])
        let elements = output.elements(of: Int64.self)
        for (index, axis) in range.enumerated() { elements[index] = Int64(extents[axis]) }
    }

    func constantOfShape(_ value: Tensor) throws {
        if value.shape.elementCount != 1 { throw invalid("the value has \(value.shape.elementCount) elements") }
        let output = try output(value.elementType, try integers(0))
        value.withView {
            fill(
                output.base, count: output.shape.elementCount, element: $0.base,
                elementBytes: value.elementType.byteCount)
        }
    }

    func cast() throws {
        let x = try input(0)
        let output = try output()
        try check(output, output.elementType, x.shape.extents)
        let converted = try Tensor(elementType: x.elementType, shape: x.shape, bytes: x.bytes)
            .converted(to: output.elementType)
        converted.withUnsafeBytes { output.bytes.copyMemory(from: $0) }
    }
}
