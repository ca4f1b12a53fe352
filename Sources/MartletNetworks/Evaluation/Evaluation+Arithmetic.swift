import MartletKernelsBaseline
import MartletTensors

extension Evaluation {
    func arithmetic(_ arithmetic: Arithmetic) throws {
        try combine(arithmetic, try input(0), try input(1), into: try output())
    }

    func sum() throws {
        let output = try output()
        let views = try inputs.indices.map { try input($0) }
        guard let first = views.first else { throw invalid("it has no input") }
        if views.count > 1 {
            guard let all = Broadcast(views.map(\.shape)) else {
                throw invalid("\(views.map { "\($0.shape)" }.joined(separator: " and ")) do not broadcast")
            }
            try check(output, first.elementType, all.shape)
        }
        if views.count == 1 || Broadcast([first.shape, views[1].shape])?.shape != output.shape.extents {
            // The first two do not yet have the shape of the whole: start from the first, spread out.
            try copyBroadcast(first, into: output)
            for view in views.dropFirst() { try add(view, to: output) }
        } else {
            try combine(.add, first, views[1], into: output)
            for view in views.dropFirst(2) { try add(view, to: output) }
        }
    }

    private func add(_ view: TensorView, to output: MutableTensorView) throws {
        let sumSoFar = TensorView(elementType: output.elementType, shape: output.shape, base: output.base)
        try combine(.add, sumSoFar, view, into: output)
    }

    private func combine(
        _ arithmetic: Arithmetic, _ a: TensorView, _ b: TensorView, into output: MutableTensorView
    ) throws {
        if a.elementType != b.elementType { throw invalid("it cannot mix \(a.elementType) and \(b.elementType)") }
        let broadcast = try broadcast([a, b])
        try check(output, a.elementType, broadcast.shape)
        switch a.elementType {
        case .float32: singlePrecision(arithmetic, a, b, into: output, broadcast)
        case .float64: floatingPoint(arithmetic, Double.self, a, b, into: output, broadcast)
        case .float16: floatingPoint(arithmetic, Float16.self, a, b, into: output, broadcast)
        case .int8: try integers(arithmetic, Int8.self, a, b, into: output, broadcast)
        case .int16: try integers(arithmetic, Int16.self, a, b, into: output, broadcast)
        case .int32: try integers(arithmetic, Int32.self, a, b, into: output, broadcast)
        case .int64: try integers(arithmetic, Int64.self, a, b, into: output, broadcast)
        case .uint8: try integers(arithmetic, UInt8.self, a, b, into: output, broadcast)
        case .uint16: try integers(arithmetic, UInt16.self, a, b, into: output, broadcast)
        case .uint32: try integers(arithmetic, UInt32.self, a, b, into: output, broadcast)
        case .uint64: try integers(arithmetic, UInt64.self, a, b, into: output, broadcast)
        case .bool: throw invalid("it has no meaning for booleans")
        }
    }

    func broadcast(_ views: [TensorView]) throws -> Broadcast {
        guard let broadcast = Broadcast(views.map(\.shape)) else {
            throw invalid("\(views.map { "\($0.shape)" }.joined(separator: " and ")) do not broadcast")
        }
        return broadcast
    }

    private func singlePrecision(
        _ arithmetic: Arithmetic, _ a: TensorView, _ b: TensorView, into output: MutableTensorView,
        _ broadcast: Broadcast
    ) {
        let (x, y) = (a.base.assumingMemoryBound(to: Float.self), b.base.assumingMemoryBound(to: Float.self))
        let result = output.base.assumingMemoryBound(to: Float.self)
        let (steps, count) = (broadcast.steps, broadcast.runLength)
        broadcast.forEachRun { to, from in
            let (x, y, result) = (x + from[0], y + from[1], result + to)
            switch arithmetic {
            case .add:
                MartletKernelsBaseline.add(x, step: steps[0], y, step: steps[1], into: result, count: count)
            case .subtract:
                MartletKernelsBaseline.subtract(x, step: steps[0], y, step: steps[1], into: result, count: count)
            case .multiply:
                MartletKernelsBaseline.multiply(x, step: steps[0], y, step: steps[1], into: result, count: count)
            case .divide:
                MartletKernelsBaseline.divide(x, step: steps[0], y, step: steps[1], into: result, count: count)
            }
        }
    }

    private func floatingPoint<Element: TensorElement & FloatingPoint>(
        _ arithmetic: Arithmetic, _: Element.Type, _ a: TensorView, _ b: TensorView, into output: MutableTensorView,
        _ broadcast: Broadcast
    ) {
        switch arithmetic {
        case .add: elementwise(Element.self, a, b, into: output, broadcast) { $0 + $1 }
        case .subtract: elementwise(Element.self, a, b, into: output, broadcast) { $0 - $1 }
        case .multiply: elementwise(Element.self, a, b, into: output, broadcast) { $0 * $1 }
        case .divide: elementwise(Element.self, a, b, into: output, broadcast) { $0 / $1 }
        }
    }

    private func integers<Element: TensorElement & FixedWidthInteger>(
        _ arithmetic: Arithmetic, _: Element.Type, _ a: TensorView, _ b: TensorView, into output: MutableTensorView,
        _ broadcast: Broadcast
    ) throws {
        switch arithmetic {
        case .add: elementwise(Element.self, a, b, into: output, broadcast) { $0 &+ $1 }
        case .subtract: elementwise(Element.self, a, b, into: output, broadcast) { $0 &- $1 }
        case .multiply: elementwise(Element.self, a, b, into: output, broadcast) { $0 &* $1 }
        case .divide:
            if b.elements(of: Element.self).contains(0) { throw invalid("an integer is divided by zero") }
            // The one quotient that does not fit, -min, wraps.
            elementwise(Element.self, a, b, into: output, broadcast) {
                $0.dividedReportingOverflow(by: $1).partialValue
            }
        }
    }

    /// Applies a function to pairs of elements broadcast to each other.
    func elementwise<Element: TensorElement, Result: TensorElement>(
        _: Element.Type, _ a: TensorView, _ b: TensorView, into output: MutableTensorView, _ broadcast: Broadcast,
        _ function: (Element, Element) -> Result
    ) {
        let (x, y) = (a.elements(of: Element.self), b.elements(of: Element.self))
        let result = output.elements(of: Result.self)
        let (stepX, stepY, count) = (broadcast.steps[0], broadcast.steps[1], broadcast.runLength)
        broadcast.forEachRun { to, from in
            let (startX, startY) = (from[0], from[1])
            for i in 0..<count { result[to + i] = function(x[startX + i * stepX], y[startY + i * stepY]) }
        }
    }
}
