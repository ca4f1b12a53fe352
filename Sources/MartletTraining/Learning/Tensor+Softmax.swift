import MartletKernelsBaseline
import MartletTensors

extension Tensor {
    /// Softmax of each row of float32 `[N, classes]`; further axes of extent 1 do no harm.
    func softmaxRows() -> [[Float]] {
        let rows = max(1, shape.extents.first ?? 1)
        let classes = shape.elementCount / rows
        return withElements(of: Float.self) { elements in
            (0..<rows).map { row in
                [Float](unsafeUninitializedCapacity: classes) { target, count in
                    if let source = elements.baseAddress, let target = target.baseAddress {
                        softmax(
                            source + row * classes, into: target, count: classes, stride: 1, isLogarithmic: false)
                    }
                    count = classes
                }
            }
        }
    }
}
