import MartletKernelsBaseline
import MartletTensors

extension Evaluation {
    func reduceMean(keepsInputIfNoAxes: Bool) throws {
        let x = try input(0)
        let rank = x.shape.rank
        var reduced = Array(0..<rank)
        let given = try optionalInput(1) == nil ? [] : integers(1)
        if !given.isEmpty { reduced = try axes(given, rank: rank) }
        if given.isEmpty, keepsInputIfNoAxes { return try identity() }
        let kept = (0..<rank).filter { !reduced.contains($0) }
        let output = try output()
        let extents = kept.map { x.shape[$0] }
        let withOnes = (0..<rank).map { reduced.contains($0) ? 1 : x.shape[$0] }
        if output.elementType != x.elementType
            || output.shape.extents != extents && output.shape.extents != withOnes
        {
            throw invalid("the means of \(x.shape) over \(reduced) are \(extents), not \(output.shape)")
        }
        switch x.elementType {
        case .float32:
            // Whole planes, which is how networks end, have a kernel.
            if reduced.sorted() == Array(kept.count..<rank), output.shape.elementCount > 0 {
                let (source, target) = (x.elements(of: Float.self), output.elements(of: Float.self))
                let count = source.count / target.count
                guard let base = source.baseAddress else { return }
                for i in target.indices { target[i] = mean(base + i * count, count: count) }
            } else {
                means(Float.self, x, kept: kept, into: output)
            }
        case .float64: means(Double.self, x, kept: kept, into: output)
        default: throw unsupported("the mean of \(x.elementType)")
        }
    }

    private func means<Element: TensorElement & BinaryFloatingPoint>(
        _: Element.Type, _ x: TensorView, kept: [Int], into output: MutableTensorView
    ) {
        let (source, target) = (x.elements(of: Element.self), output.elements(of: Element.self))
        if target.isEmpty { return }
        var sums = [Double](repeating: 0, count: target.count)
        // The stride of each input axis in the result; 0 along those that are reduced.
        var strides = [Int](repeating: 0, count: x.shape.rank)
        var step = 1
        for axis in kept.reversed() {
            strides[axis] = step
            step *= x.shape[axis]
        }
        var index = [Int](repeating: 0, count: x.shape.rank)
        var at = 0
        for value in source {
            sums[at] += Double(value)
            var axis = x.shape.rank - 1
            while axis >= 0 {
                index[axis] += 1
                at += strides[axis]
                if index[axis] < x.shape[axis] { break }
                at -= strides[axis] * x.shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
        let count = Double(source.count) / Double(target.count)
        for i in target.indices { target[i] = Element(sums[i] / count) }
    }
}
