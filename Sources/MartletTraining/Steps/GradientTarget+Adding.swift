import MartletKernelsBaseline
import MartletTensors

extension GradientTarget {
    /// Puts, or adds, `count` elements at `offset`.
    func add(_ values: UnsafePointer<Float>, at offset: Int, count: Int) {
        if accumulates {
            addElements(values, to: base + offset, count: count)
        } else {
            (base + offset).update(from: values, count: count)
        }
    }

    /// Puts, or adds, one element.
    func add(_ value: Float, at offset: Int) { base[offset] = accumulates ? base[offset] + value : value }

    /// Makes `count` elements at `offset` ready to be added to.
    func prepare(at offset: Int, count: Int) {
        if !accumulates { fill(base + offset, count: count, with: 0) }
    }
}

extension Operand {
    /// The value as a tensor, to be shown.
    var view: TensorView {
        // Planning has seen to it that the extents make a shape.
        TensorView(elementType: .float32, shape: (try? Shape(extents)) ?? [], base: base)
    }
}
